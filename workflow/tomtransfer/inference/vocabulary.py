"""What each token of a tokenizer makes of an answer that has been written so far.

Tokens are bytes, not texts: a character may be cut in two, as Chinese ones often are, and a token's own text does not
always tell whether a space stands in front of it.
"""

import codecs
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import regex
import torch

from tomtransfer.scenarios.beginnings import Spellings
from tomtransfer.scenarios.spelling import Labels

# Characters that stand for all those of their sort which no pattern names: Chinese, other letters, spaces, the rest.
_SORTS = ((regex.compile(r"\p{Han}"), "㐀"), (regex.compile(r"\w"), "ж"), (regex.compile(r"\s"), " "))
_ANY_OTHER = "¤"

CONTINUATION = range(0x80, 0xC0)
"""The bytes of UTF-8 that stand within a character."""

BROKEN = "\ufffd"
"""What stands for bytes that are no character: with them an answer begins with nothing."""


@dataclass(frozen=True)
class NextTokens:
    """What each next token makes of a text: candidates that it completes, and tokens that go on towards one."""

    completing: list[tuple[int, torch.Tensor]]
    """Places of candidates, and the tokens with which each is complete."""
    going_on: torch.Tensor


class Pieces:
    """What tokens write, as a tree of beginnings that grows where it is looked at."""

    def __init__(self, tokens: dict[str, list[int]]) -> None:
        self.tokens = tokens
        """Tokens by what they write."""
        self._longer: dict[str, dict[str, list[str]]] = {}

    def longer(self, beginning: str, alike: Iterable[str] | None = None) -> dict[str, list[str]]:
        """Return the texts that are longer than a `beginning` and begin with it, by one character more of it.

        `alike` are all texts that begin with it, if they are known.
        """
        if beginning not in self._longer:
            groups: dict[str, list[str]] = {}
            for piece in self.tokens if alike is None else alike:
                if piece != beginning:
                    groups.setdefault(piece[: len(beginning) + 1], []).append(piece)
            self._longer[beginning] = groups
        return self._longer[beginning]


class Vocabulary:
    """The bytes of every token of a tokenizer, and what it makes of what has been written so far.

    `ends` are the tokens that end an answer, as a line break does; other special tokens say nothing. Tokens from `size`
    on are none that the model can write: some tokenizers were given tokens, such as one to pad with, that it was not.
    """

    def __init__(self, tokenizer: Any, ends: Collection[int], size: int | None = None) -> None:
        self.tokenizer = tokenizer
        self.bytes = token_bytes(tokenizer)[:size]
        for written, tokens in ((b"", tokenizer.all_special_ids), (b"\n", ends)):
            for token in tokens:
                if token < len(self.bytes):
                    self.bytes[token] = written
        self._texts = [split(each)[0] for each in self.bytes]
        self._within = [token for token, each in enumerate(self.bytes) if each and each[0] in CONTINUATION]
        self._shaped: dict[frozenset[str], Pieces] = {}
        self._written: dict[str, tuple[int, ...]] = {}
        self._known: dict[tuple[Spellings, bytes], NextTokens] = {}

    def after(self, written: bytes, spellings: Spellings) -> NextTokens:
        """Return what each next token makes of what is `written`."""
        if (spellings, written) not in self._known:
            text, cut = split(written)
            if cut:
                # Only what begins within a character can go on with one.
                pieces = Pieces(_grouped((split(cut + self.bytes[token])[0], token) for token in self._within))
            else:
                pieces = self._shapes(spellings.alphabet)
            self._known[spellings, written] = _look(text, spellings, pieces)
        return self._known[spellings, written]

    def longest(self, candidates: Iterable[str]) -> int:
        """Return the most tokens that the tokenizer needs for one of `candidates`."""
        return max(len(self._write(each)) for each in candidates)

    def own(self, spellings: Spellings) -> frozenset[tuple[int, ...]]:
        """Return the tokens that the tokenizer itself writes for each label; none for numbers, which may be many."""
        return frozenset(map(self._write, spellings.options)) if isinstance(spellings, Labels) else frozenset()

    def _write(self, text: str) -> tuple[int, ...]:
        if text not in self._written:
            self._written[text] = tuple(self.tokenizer.encode(text, add_special_tokens=False))
        return self._written[text]

    def _shapes(self, alphabet: frozenset[str]) -> Pieces:
        """Return tokens by their texts, in which characters that are not in `alphabet` are alike.

        Where a hundred thousand tokens are looked at, most of them differ in nothing that matters.
        """
        if alphabet not in self._shaped:
            characters = set().union(*self._texts)
            table = {ord(each): _sort(each) for each in characters if each not in alphabet | {BROKEN}}
            shapes = ((text.translate(table), token) for token, text in enumerate(self._texts))
            self._shaped[alphabet] = Pieces(_grouped(shapes))
        return self._shaped[alphabet]


def _look(text: str, spellings: Spellings, pieces: Pieces) -> NextTokens:
    """Look at tokens character by character: where a text is decided, so are all tokens that go on like it."""
    completing: dict[int, list[int]] = {}
    going_on: list[int] = []
    waiting = list(pieces.longer("").items())
    if "" in pieces.tokens:
        waiting.append(("", [""]))  # special tokens, which write nothing
    while waiting:
        addition, alike = waiting.pop()
        begun = spellings.begun(text + addition)
        if begun is True:
            going_on += pieces.tokens.get(addition, [])
            waiting += pieces.longer(addition, alike).items() if addition else ()
        elif begun is not False:
            completing.setdefault(begun, []).extend(token for piece in alike for token in pieces.tokens[piece])
    return NextTokens(
        [(place, torch.tensor(tokens)) for place, tokens in completing.items()],
        torch.tensor(going_on, dtype=torch.long),
    )


def split(written: bytes) -> tuple[str, bytes]:
    """Return the text of what is written in UTF-8, and the bytes of a last character that is not whole yet."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(written)
    return text, decoder.getstate()[0]


def token_bytes(tokenizer: Any) -> list[bytes]:
    """Return what each token of a tokenizer writes, in UTF-8.

    Tokenizers name tokens by a character for each byte (GPT-2), or by their text with spaces as `▁` and single bytes as
    `<0xE5>` (SentencePiece).
    """
    names = [name or "" for name in tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))]
    by_bytes = sum(name.startswith("Ġ") for name in names) > sum(name.startswith("▁") for name in names)
    return [_named_by_bytes(name) if by_bytes else _named_by_text(name) for name in names]


def _named_by_bytes(name: str) -> bytes:
    known = _byte_names()
    return bytes(known[each] for each in name) if all(each in known for each in name) else name.encode()


def _named_by_text(name: str) -> bytes:
    single = re.fullmatch(r"<0x([0-9A-F]{2})>", name)
    return bytes.fromhex(single[1]) if single else name.replace("▁", " ").encode()


@cache
def _byte_names() -> dict[str, int]:
    """Return the byte that each character names: itself if it can be printed, else one of those from 256 on."""
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printed]
    return {chr(byte): byte for byte in printed} | {chr(0x100 + place): byte for place, byte in enumerate(others)}


def _sort(character: str) -> str:
    return next((sort for pattern, sort in _SORTS if pattern.match(character)), _ANY_OTHER)


def _grouped(named: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Return tokens by their names, but for those whose name is broken."""
    groups: dict[str, list[int]] = {}
    for name, token in named:
        if BROKEN not in name:
            groups.setdefault(name, []).append(token)
    return groups
