"""What is read exactly, against drawn answers and against the product of conditionals, for labels and for numbers.

    PYTHONPATH=workflow python benchmarks/readings.py

The probability that an answer begins with a label or a number, in three ways: as the product reads it, from the tree of
tokens; counted among answers that the same model draws and the parser reads, where `z` is the difference in standard
errors; and the probability of the tokens that the tokenizer itself writes, one plain forward pass for each. The last is
of one spelling alone, whatever follows: `own tokens` is that product, `and an end` the product with the end of the line
after it, which the exact reading cannot be below.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from measuring import RESULTS, Load, keep, machine
from tomtransfer.experiment.framing import Frame
from tomtransfer.inference.chat import chat_of
from tomtransfer.inference.loading import load_model, load_tokenizer
from tomtransfer.inference.sampling import Draw, draw_texts, end_tokens
from tomtransfer.inference.token_tree import candidate_distributions
from tomtransfer.inference.vocabulary import Vocabulary
from tomtransfer.respondents.parsing import VALID_KINDS, parse_amount, parse_label
from tomtransfer.scenarios.games import TWO_ACTIONS, load_context, load_game
from tomtransfer.scenarios.rendering import read_templates, render
from tomtransfer.scenarios.spelling import spellings_of
from tomtransfer.scenarios.wording import read_wording

TEMPERATURE = 0.8
LABELS = (("C", "D"), ("cooperate", "defect"), ("Stag", "Hare"), ("合作", "背叛"))
NUMBERS = ("2.5", "10000", "-10", "1,000")
BEGINNINGS = VALID_KINDS[:3]
"""Kinds of answers that begin with their choice, as the exact reading does."""


@dataclass(frozen=True)
class Question:
    """A prompt, the options that are read, and the texts whose tokens are multiplied."""

    name: str
    tokens: list[int]
    options: tuple[str, ...]
    written: tuple[str, ...]

    @property
    def numeric(self) -> bool:
        """Whether the options are numbers."""
        return self.name.startswith("number")


def label_questions(tokenizer: Any, scenarios: Path, context: str) -> list[Question]:
    """Return the stag hunt in a context with each pair of labels."""
    payoffs = load_game(scenarios, "stag_hunt").payoffs
    wording = read_wording(scenarios, "english")
    templates, situation = read_templates(wording, TWO_ACTIONS), load_context(wording, context)
    asked = []
    for labels in LABELS:
        frame = Frame(cooperate=labels[0], defect=labels[1])
        system, user = render(templates, situation, payoffs, frame, "answer_first")
        asked.append(Question("/".join(labels), chat_of(tokenizer).encode_prompt(system, user), labels, labels))
    return asked


def number_questions(tokenizer: Any) -> list[Question]:
    """Return prompts that all but dictate a number: it stands in the answer already, and is to be said again."""
    asked = []
    for number in NUMBERS:
        tokens = chat_of(tokenizer).encode_prompt("You repeat numbers.", f"Repeat the number {number} alone.")
        begun = f"The number is:\n{number}\nAgain, the number is:\n"
        tokens += tokenizer.encode(begun, add_special_tokens=False)
        asked.append(Question(f"number {number}", tokens, (number.replace(",", ""), "7"), (number, "7")))
    return asked


@torch.inference_mode()
def next_tokens(model: Any, tokens: Sequence[int]) -> torch.Tensor:
    """Return the distribution of the next token from one plain forward pass."""
    logits = model(torch.tensor([list(tokens)], device=model.device), use_cache=False).logits[0, -1]
    return torch.softmax(logits.float() / TEMPERATURE, dim=-1)


def product_of_conditionals(model: Any, tokenizer: Any, prompt: Sequence[int], text: str) -> tuple[float, float]:
    """Return the probability of a text in the tokenizer's own tokens, and with the end of the line after it."""
    product, said = 1.0, list(prompt)
    for token in tokenizer.encode(text, add_special_tokens=False):
        product *= float(next_tokens(model, said)[token])
        said.append(token)
    ends = [*end_tokens(model, tokenizer), tokenizer.encode("\n", add_special_tokens=False)[-1]]
    return product, product * float(next_tokens(model, said)[ends].sum())


def drawn_choices(model: Any, tokenizer: Any, question: Question, answers: int, longest: int) -> list[str | None]:
    """Return what each of so many drawn answers begins with; None where that is no option."""
    draws = [Draw(0, None, f"{question.name}/{number}") for number in range(answers)]
    texts = draw_texts(model, tokenizer, [question.tokens], draws, TEMPERATURE, longest, 16_384, one_line=True)
    parse = (
        (lambda text: parse_amount(text, question.options, "", "answer_first"))
        if question.numeric
        else (lambda text: parse_label(text, question.options, "answer_first"))
    )
    parsed = [parse(each.text) for each in texts]
    return [each.choice if each.kind in BEGINNINGS else None for each in parsed]


def compare(model: Any, tokenizer: Any, vocabulary: Vocabulary, question: Question, given: Any) -> list[dict[str, str]]:
    """Return a row for each option of a question."""
    spellings = spellings_of(question.options)
    [read] = candidate_distributions(model, vocabulary, [question.tokens], [spellings], TEMPERATURE, 16_384)
    drawn = drawn_choices(model, tokenizer, question, given.answers, given.tokens)
    rows = []
    for option, written, exact in zip(question.options, question.written, read.candidates, strict=True):
        count = drawn.count(option)
        error = math.sqrt(exact * (1 - exact) / given.answers)
        own, ended = product_of_conditionals(model, tokenizer, question.tokens, written)
        rows.append(
            {
                "asked": question.name,
                "answer": written,
                "exact": f"{exact:.4f}",
                "drawn": f"{count}/{given.answers} = {count / given.answers:.4f}",
                "z": f"{(count / given.answers - exact) / error:+.1f}" if error else "-",
                "own tokens": f"{own:.4f}",
                "and an end": f"{ended:.4f}",
            }
        )
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, nargs="+", default=[Path("results/models/smollm2-135m-instruct")])
    parser.add_argument("--scenarios", type=Path, default=Path("scenarios"))
    parser.add_argument("--context", default="team")
    parser.add_argument("--only", nargs="*", help="ask these questions alone, such as C/D or 'number 2.5'")
    parser.add_argument("--answers", type=int, default=2_000)
    parser.add_argument("--tokens", type=int, default=16, help="tokens of an answer, at most")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    load, rows = Load(), []
    for folder in given.models:
        tokenizer, model = load_tokenizer(folder), load_model(folder, "none", torch.device("cpu"))
        vocabulary = Vocabulary(tokenizer, end_tokens(model, tokenizer))
        asked = [*label_questions(tokenizer, given.scenarios, given.context), *number_questions(tokenizer)]
        for question in (each for each in asked if not given.only or each.name in given.only):
            rows += [{"model": folder.name, **row} for row in compare(model, tokenizer, vocabulary, question, given)]
            print(*rows[-2:], sep="\n", flush=True)
    notes = [
        f"The stag hunt in the context {given.context}, and prompts that ask to repeat a number, at {TEMPERATURE}; "
        f"{given.answers} answers drawn of at most {given.tokens} tokens",
        f"{machine()}; {load}",
    ]
    keep("readings", "Readings: exact, drawn, and products of conditionals", rows, notes, given.results)


if __name__ == "__main__":
    main()
