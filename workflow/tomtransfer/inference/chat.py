"""Where an answer begins and what ends it, as a model's chat template says: by rendering a conversation of marks.

Templates differ: some write an empty thought or a channel between prompt and answer, some know no system message, some
lose messages without a word, some write today's date. So a conversation is rendered whose system message, user message
and answer are marks. Each must come out once. The text before the answer's mark is what the model gets; what follows
the mark ends the turn.
"""

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeAlias

from jinja2 import TemplateError

from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.thoughts import THOUGHT_CLOSES, opened, thought_marks

SYSTEM_MARK, USER_MARK, ANSWER_MARK, NEXT_MARK = "SystemMarkZq", "UserMarkZq", "AnswerMarkZq", "NextMarkZq"

DATE = "2026-01-01"
"""The day that templates are told unless the experiment says another: the clock would give other tokens tomorrow."""

Variables: TypeAlias = tuple[tuple[str, Any], ...]
"""Variables of a chat template, by name."""


@dataclass(frozen=True)
class Chat:
    """A tokenizer with its template, and how a conversation has to be given to it."""

    tokenizer: Any
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Variables of the template that the experiment sets."""
    folded: bool = False
    """Whether the system message has to stand in front of the user's, in one message."""
    in_parts: bool = False
    """Whether a message has to be given as a list of parts."""
    end: tuple[int, ...] = ()
    """The tokens that end an answer."""
    thought: tuple[str, str] | None = None
    """What opens and closes a thought of a model that is always led to think before it answers; None for any other."""

    @property
    def thinks(self) -> bool:
        """Whether the model is always led to think before it answers."""
        return self.thought is not None

    def prompt(self, system: str, user: str) -> str:
        """Return the text that a model gets, up to where its answer begins; raises InputError if a message is lost."""
        before, _ = self.around(system, user)
        return before

    def around(self, system: str, user: str) -> tuple[str, str]:
        """Return what a template writes before an answer and after it."""
        text = self.render(self.messages(system, user, ANSWER_MARK))
        if text.count(ANSWER_MARK) != 1 or system not in text or user not in text:
            raise InputError("its chat template does not give the messages as they are")
        before, after = text.split(ANSWER_MARK)
        return before, after

    def thinking_prompt(self, system: str, user: str) -> str:
        """Return the text that a model gets which is to think first."""
        return self.render(self.messages(system, user)[:-1], add_generation_prompt=True)

    def messages(self, system: str, user: str, answer: str = "") -> list[dict[str, Any]]:
        """Return a conversation as its template takes it."""
        given = [("system", system), ("user", user)]
        if self.folded:
            given = [("user", f"{system}\n\n{user}")]
        turns = [*given, ("assistant", answer)]
        return [
            {"role": role, "content": [{"type": "text", "text": text}] if self.in_parts else text}
            for role, text in turns
        ]

    def render(self, messages: Sequence[Mapping[str, Any]], **settings: Any) -> str:
        """Return what the template makes of a conversation."""
        given = {name: value for name, value in self.variables.items() if name != "date"}
        text: str = self.tokenizer.apply_chat_template(
            list(messages), chat_template=self.template, tokenize=False, **given, **settings
        )
        return text

    @cached_property
    def template(self) -> str:
        """The template, with the date that the experiment says where it would look at the clock."""
        day = datetime.date.fromisoformat(str(self.variables.get("date", DATE)))

        def said(found: re.Match[str]) -> str:
            return repr(day.strftime(found[2]))

        dated = re.sub(r"strftime_now\(\s*(['\"])(.*?)\1\s*\)", said, self.tokenizer.get_chat_template())
        if "strftime_now(" in dated:
            raise InputError("its chat template writes a date in a way that cannot be held to one day")
        return dated

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text that the template has made."""
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def encode_prompt(self, system: str, user: str) -> list[int]:
        """Return the tokens that a model gets, up to where its answer begins.

        A space before the answer belongs to the answer: tokens that begin words have it in front of them.
        """
        return self.encode(self.prompt(system, user).rstrip(" "))

    def encode_thinking_prompt(self, system: str, user: str) -> list[int]:
        """Return the tokens that a model gets which is to think first, up to where its thoughts begin."""
        text = self.thinking_prompt(system, user)
        if system not in text or user not in text:
            raise InputError("its chat template does not give the messages as they are")
        return self.encode(text)

    def write_thought(self, thoughts: str, answer: str) -> list[int]:
        """Return the tokens of thoughts that go on where a prompt has opened them, and of the answer after them."""
        _, closing = self.thought or ("", "")
        return self.encode(f"{thoughts}\n{closing}\n\n{answer}")

    def read(self, tokens: Sequence[int]) -> str:
        """Return what a model has written, without special tokens; thoughts stand between their marks."""
        if self.thought is None:
            return str(self.tokenizer.decode(tokens, skip_special_tokens=True)).strip()
        opening, closing = self.thought
        text = self.tokenizer.decode(tokens, skip_special_tokens=False)
        for special in set(self.tokenizer.all_special_tokens) - {closing}:
            text = text.replace(special, "")
        thoughts, closed, answer = text.partition(closing)
        return "\n".join([opening, thoughts.strip(), *([closed, answer.strip()] if closed else [])])

    def write(self, answer: str) -> list[int]:
        """Return the tokens that the tokenizer writes for an answer, or its beginning, where an answer begins."""
        begun = self.encode(self.lead.rstrip(" "))
        tokens = self.encode(self.lead + answer)
        if begun and tokens[: len(begun)] == begun:
            return tokens[len(begun) :]
        return self.encode(answer)

    @cached_property
    def lead(self) -> str:
        """What the template writes between the user's message and the answer."""
        return self.prompt(SYSTEM_MARK, USER_MARK).rpartition(USER_MARK)[2]


@cache
def chat_of(tokenizer: Any, variables: Variables = (), may_think: bool = False) -> Chat:
    """Return how conversations are given to a tokenizer that was loaded from a model's folder; see `find_chat`.

    Raises InputError as well for a model that is always led to think first, unless it `may_think`.
    """
    name = Path(str(tokenizer.name_or_path)).name
    chat = find_chat(tokenizer, name, dict(variables))
    if chat.thinks and not may_think:
        raise InputError(
            f"{name}: its chat template always leads it to think before it answers, so that nothing can be read "
            "exactly where its prompt ends; set question: reason_first (with choices: both or sampled and "
            "comprehension: []) to draw its answers after its thoughts, which then count as its reasons, both within "
            "sampling.reason_tokens, or switch them off by a variable of the template, such as "
            "chat: {enable_thinking: false}"
        )
    return chat


def find_chat(tokenizer: Any, name: str, variables: Mapping[str, Any] | None = None) -> Chat:
    """Return how conversations are given to the tokenizer of the model `name`.

    Raises InputError when its template loses the system or the user message, or leaves the answer no place of its own.
    """
    reasons = []
    for folded in (False, True):
        for in_parts in (False, True):
            chat = Chat(tokenizer, variables or {}, folded, in_parts)
            try:
                before, after = chat.around(SYSTEM_MARK, USER_MARK)
            except (TemplateError, InputError, TypeError, KeyError, ValueError, AttributeError) as error:
                reasons.append(str(error))
                continue
            if [before.count(mark) for mark in (SYSTEM_MARK, USER_MARK)] != [1, 1]:
                reasons.append("its chat template writes a message more than once")
            elif opened(before):
                reasons.append("its chat template puts the answer inside a thought")
            else:
                return _with_end(chat, name, before, after)
    raise InputError(
        f"{name}: {reasons[0]}; a template is needed that has the system message, the user message and the answer, "
        "each once. Template variables can be set under `chat`"
    )


def _with_end(chat: Chat, name: str, before: str, after: str) -> Chat:
    """Return a chat that knows what ends an answer and whether the model always thinks."""
    text = after
    if not after.strip():
        # What ends a turn may be the beginning of the next one.
        turns = [*chat.messages(SYSTEM_MARK, USER_MARK, ANSWER_MARK), chat.messages(SYSTEM_MARK, NEXT_MARK)[-2]]
        try:
            text = chat.render(turns).split(ANSWER_MARK)[-1].split(NEXT_MARK)[0]
        except (TemplateError, TypeError, KeyError, ValueError, AttributeError):
            text = ""
    tokens = chat.encode(text.strip())
    special = {*chat.tokenizer.all_special_ids, *chat.tokenizer.added_tokens_decoder}
    first = next((token for token in tokens if token in special), None)
    eos = chat.tokenizer.eos_token_id
    end = (first,) if first is not None else tuple(tokens) if after.strip() else () if eos is None else (eos,)
    if not end:
        raise InputError(f"{name}: neither its chat template nor its tokenizer says what ends an answer")
    thinking = chat.thinking_prompt(SYSTEM_MARK, USER_MARK)
    led = thinking.rpartition(USER_MARK)[2]
    closed = re.search(THOUGHT_CLOSES, before[before.rindex(USER_MARK) :])
    thought = thought_marks(led) if opened(led) and not closed else None
    return Chat(chat.tokenizer, chat.variables, chat.folded, chat.in_parts, end, thought)
