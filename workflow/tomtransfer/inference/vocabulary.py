"""What each token of a tokenizer makes of an answer that has been written so far.

Tokens are bytes, not texts: a character may be cut in two, as Chinese ones often are, and a token's own text does not
always tell whether a space stands in front of it.
"""

import codecs
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
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


ALPHABETS_KEPT = 32
TEXTS_KEPT = 2048
"""What is known of the tokens is kept for the last so many alphabets and written texts. Where each game has letters of
its own there are tens of thousands of texts, and what is known of one takes 0.1 to 0.2 MB."""

GOES_ON, ENDS_ALL, NOT_LOOKED_AT = -1, -2, -3
"""What a token makes of a text: more may make it begin with a candidate, none can come any more, nobody asked yet."""


@dataclass(frozen=True)
class Shapes:
    """The texts of tokens, where characters that mean nothing are alike: of a hundred thousand most differ in these."""

    texts: list[str]
    """Each text once."""
    places: torch.Tensor
    """Of each token, the place of its text."""


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
        self._shapes = lru_cache(ALPHABETS_KEPT)(self._shaped)
        self._decided = lru_cache(TEXTS_KEPT)(self._undecided)
        self._written: dict[str, tuple[int, ...]] = {}

    def after(self, written: bytes, spellings: Spellings, tokens: torch.Tensor) -> torch.Tensor:
        """Return what each of `tokens` makes of what is `written`: the place of the candidate that is then complete,
        or GOES_ON, or ENDS_ALL.
        """
        text, cut = split(written)
        if cut:
            # Only what begins within a character can go on with one.
            additions = [self._completed(token, cut) for token in tokens.tolist()]
            return torch.tensor([_decide(text, addition, spellings, {}) for addition in additions], dtype=torch.long)
        shapes = self._shapes(spellings.alphabet)
        decided, places = self._decided(spellings, written), shapes.places[tokens]
        new = list(set(places[decided[places] == NOT_LOOKED_AT].tolist()))
        known: dict[str, int] = {}
        made = [_decide(text, shapes.texts[place], spellings, known) for place in new]
        decided[new] = torch.tensor(made, dtype=torch.int16)
        return decided[places].long()

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

    def _completed(self, token: int, cut: bytes) -> str:
        """Return what a token adds to a text that ends within a character: what does not go on with it is broken."""
        written = self.bytes[token]
        return split(cut + written)[0] if written and written[0] in CONTINUATION else BROKEN

    def _shaped(self, alphabet: frozenset[str]) -> Shapes:
        """Return the texts of tokens, in which characters that are not in `alphabet` are alike."""
        characters = set().union(*self._texts)
        table = {ord(each): _sort(each) for each in characters if each not in alphabet | {BROKEN}}
        places: dict[str, int] = {}
        own = [places.setdefault(text.translate(table), len(places)) for text in self._texts]
        return Shapes(list(places), torch.tensor(own))

    def _undecided(self, spellings: Spellings, written: bytes) -> torch.Tensor:
        """Return where it is noted what each text makes of what is `written`."""
        return torch.full((len(self._shapes(spellings.alphabet).texts),), NOT_LOOKED_AT, dtype=torch.int16)


def _decide(text: str, addition: str, spellings: Spellings, known: dict[str, int]) -> int:
    """Return what an addition makes of a text: what its first characters decide, nothing can undo.

    What they make of it is kept among those `known`, by the addition.
    """
    if BROKEN in addition:
        return ENDS_ALL
    for end in range(len(addition) + 1):
        beginning = addition[:end]
        if beginning not in known:
            begun = spellings.begun(text + beginning)
            known[beginning] = GOES_ON if begun is True else ENDS_ALL if begun is False else begun
        if known[beginning] != GOES_ON:
            return known[beginning]
    return GOES_ON


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
