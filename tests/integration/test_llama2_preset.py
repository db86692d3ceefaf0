"""The published pair's preset from its beginning to its end, with tiny models that write as Llama 2 does."""

import polars as pl
import pytest
import yaml

from llama2 import write_llama2
from project import run_snakemake
from tomtransfer.inference.encoding import encode_prompts, label_tokens
from tomtransfer.inference.loading import load_tokenizer
from tomtransfer.scenarios.questions import read_prompts
from tomtransfer.training.completions import Example, make_rows

pytestmark = pytest.mark.slow

MODELS = ("llama-2-70b-chat", "llama-2-7b-chat")
SMALLER = {
    "games": ["prisoners_dilemma", "stag_hunt"],
    "splits": {
        "in_sample": {"contexts": ["team"]},
        "new_contexts": {"contexts": ["sports"]},
        "doubled_payoffs": {"contexts": ["team"]},
    },
    "comprehension": ["sports"],
    "sampling": {"answers": 3},
    "teacher": {"motivations_per_choice": 4, "motivation_tokens": 12},
    "training": {"epochs": 1, "held_back_share": 0.2, "seeds": [1]},
    "scoring": {"bootstrap_draws": 20},
    "compute": {"gpu": 0, "threads": 1, "memory_mb": 1000, "minutes": 10},
}
"""What makes the preset an experiment of a minute, and changes nothing else of it."""


@pytest.fixture(scope="module")
def preset(project):
    for seed, name in enumerate(MODELS):
        write_llama2(project / "tiny" / name, seed)
    registry = yaml.safe_load((project / "models.yaml").read_text())
    registry |= {name: {"source": "local", "path": f"tiny/{name}"} for name in MODELS}
    (project / "models.yaml").write_text(yaml.safe_dump(registry, sort_keys=False))
    (project / "smaller.yaml").write_text(yaml.safe_dump(SMALLER))
    done = run_snakemake(project, "--cores", "all", "--configfile", "presets/llama2.yaml", "smaller.yaml")
    assert done.returncode == 0, done.stdout
    return project


def as_written(tokenizer, system, user, answer):
    """The tokens of a conversation as the tokenizer itself writes it, by its own template."""
    turns = [("system", system), ("user", user), ("assistant", answer)]
    text = tokenizer.apply_chat_template([{"role": role, "content": said} for role, said in turns], tokenize=False)
    return tokenizer.encode(text, add_special_tokens=False)


def test_the_preset_runs_to_its_end(preset):
    results = preset / "results/llama2"
    assert (results / "report.html").exists()
    assert len(pl.read_parquet(results / "student/transfer-1.parquet")) > 0


def test_completions_are_trained_in_the_tokens_that_the_tokenizer_writes(preset):
    examples = pl.read_parquet(preset / "results/llama2/training/transfer.parquet")
    tokenizer = load_tokenizer(preset / "tiny" / MODELS[1])
    names = ("system", "user", "label", "motivation", "finished", "weight", "question")
    compared = 0
    for given in examples.iter_rows(named=True):
        (row,) = make_rows(tokenizer, [Example(**{name: given[name] for name in names})], 1, MODELS[1])
        (completion,) = row.completions
        said = completion.tokens[:-1] if given["finished"] else completion.tokens
        answer = tokenizer.decode(said)
        written = as_written(tokenizer, given["system"], given["user"], answer)
        whole = [*row.prompt, *said]
        assert written[: len(whole)] == whole, tokenizer.convert_ids_to_tokens(said)
        assert completion.tokens[-1] == tokenizer.eos_token_id or not given["finished"]
        compared += given["label"] in answer
    assert compared == len(examples) > 0


def test_a_label_and_its_line_break_are_drawn_after_in_those_tokens_too(preset):
    folder = preset / "tiny" / MODELS[0]
    tokenizer = load_tokenizer(folder)
    (prompt, *_) = read_prompts(sorted((preset / "results/llama2/prompts").glob("*.json")))
    (encoded,) = encode_prompts(tokenizer, [prompt], folder)
    written = label_tokens(tokenizer, ["C\n"], MODELS[0])["C\n"]
    assert tokenizer.convert_ids_to_tokens(written) == ["▁C", "<0x0A>"]
    whole = as_written(tokenizer, prompt.system, prompt.user, "C\nIt is fair.")
    assert whole[: len(encoded) + len(written)] == [*encoded, *written]
    assert tokenizer.convert_ids_to_tokens(whole[-1]) == "</s>"
