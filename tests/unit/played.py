"""What a model played: exact choices and drawn answers, written as the workflow writes them."""

from pathlib import Path

import polars as pl

from tomtransfer.experiment.tables import write_table
from tomtransfer.respondents.counting import answers_path
from tomtransfer.respondents.elicited import ROW_COLUMNS

PLACES = [(game, context) for game in ("stag_hunt", "snowdrift") for context in ("team", "business", "sports")]
TEXT = {"split": "in_sample", "question": "answer_only", "prompt": "x", "model": "m", "model_revision": "1"}


def row(game: str, context: str, frame: str) -> dict[str, object]:
    place = {"game": game, "context": context, "frame": frame, "quantization": "none", "adapter": "", "software": "s"}
    return {**dict.fromkeys(ROW_COLUMNS, "x"), **TEXT, **place, "temperature": 0.8, "stage_revision": 1}


def write(folder: Path, name: str, rate: float, drawn: int | None = None, missing: int = 0) -> Path:
    """Write exact choices at one rate in two frames, and beside them 20 answers, of which `drawn` cooperate."""
    rows = [row(*place, frame) for frame in ("canonical", "swapped") for place in PLACES]
    exact = [{**each, "cooperate": 0.9 * rate, "defect": 0.9 * (1 - rate), "other": 0.1} for each in rows]
    path = folder / f"{name}.parquet"
    write_table(pl.DataFrame(exact[: len(exact) - missing]), path)
    texts = [] if drawn is None else ["C"] * drawn + ["D"] * (20 - drawn)
    answers = [
        {**row(*place, "canonical"), "options": ["C", "D"], "phrases": "english", "labelled": True, "answer": text}
        for place in PLACES
        for text in texts
    ]
    columns = {**row("a", "b", "c"), "options": ["C", "D"], "phrases": "english", "labelled": True, "answer": "C"}
    write_table(pl.DataFrame(answers or [columns]).head(len(answers)), answers_path(path))
    return path
