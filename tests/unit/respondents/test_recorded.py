"""A recorded teacher: its rates are its counts, and what a table has wrong is named by file, row and column."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
import yaml
from made import ASKING, SCENARIOS, local_model, make_prompt

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.framing import Frame, Split
from tomtransfer.experiment.sections import Student, Teacher
from tomtransfer.experiment.store import Store
from tomtransfer.experiment.tables import read_table
from tomtransfer.experiment.validation import InputError
from tomtransfer.models.fetching import fetch
from tomtransfer.models.registry import Recorded, find_student, read_registry, revision
from tomtransfer.report import sources as report_sources
from tomtransfer.report.sources import lead_of, written_for_the_teacher
from tomtransfer.respondents.answer_record import AnswerRecord, Place, read_answer_record
from tomtransfer.respondents.asking import Questions
from tomtransfer.respondents.counting import answers_path, read_choices
from tomtransfer.respondents.elicitation import Elicitation
from tomtransfer.respondents.opening import open_respondent
from tomtransfer.respondents.recorded import RecordedRespondent, check_record
from tomtransfer.scenarios.questions import Query, write_prompts
from tomtransfer.training.examples import assemble

COUNTS = "game,context,cooperate,defect\nstag_hunt,team,30,10\nstag_hunt,sports,5,15\n"
MEANS = "game,context,mean\ndonation,village_well,2.5\n"
REASONS = "game,context,choice,motivation\nstag_hunt,team,cooperate,We both gain.\nstag_hunt,team,defect,I am wary.\n"
PUBLISHED = SCENARIOS / "published" / "lore2024_counts.csv"


def source(folder: Path, tables: dict[str, str], frames: tuple[str, ...] = ("canonical",), **table: Any) -> Recorded:
    """Write tables as CSV, and return the registry entry that names them; all are read as `table` says."""
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)
    entry = {
        "source": "recorded",
        "frames": list(frames),
        "tables": {name: {"path": f"{name}.csv", **table} for name in tables},
    }
    (folder / "models.yaml").write_text(yaml.safe_dump({"people": entry}))
    found = read_registry(folder / "models.yaml")["people"]
    assert isinstance(found, Recorded)
    return found


def record(
    folder: Path, tables: dict[str, str], frames: tuple[str, ...] = ("canonical",), **table: Any
) -> AnswerRecord:
    found = source(folder, tables, frames, **table)
    return read_answer_record(found, {name: each.path for name, each in found.tables.items() if each.path})


def counts(known: AnswerRecord, *place: str) -> tuple[int, int, int]:
    found = known.choice(Place(*place))
    return found.cooperate, found.defect, found.invalid


def teacher(folder: Path, found: Recorded) -> RecordedRespondent:
    """The recorded teacher, fetched and opened as a workflow does it."""
    fetch("people", found, folder / "fetched")
    settings = {"quantization": "none", "temperature": 0.8, "stage_revision": 1, "device": "cpu"}
    opened = open_respondent(
        folder / "fetched", model_revision=revision("people", found), tokens_per_batch=1000, **settings
    )
    assert isinstance(opened, RecordedRespondent)
    return opened


def prompt(context: str = "team", **changes: Any):
    return replace(make_prompt(context), sha256=context, **changes)


def gift(right: str | None = None) -> Query:
    place = ("new_game", "donation", "village_well", "amount", "answer_first")
    return Query(*place, tuple(map(str, range(11))), right, {}, "system", "user", "gift")


def test_counts_are_what_the_file_says_and_a_rate_is_one_of_its_answers(tmp_path):
    known = record(tmp_path, {"t": COUNTS.replace(",10\n", ",10 \n")})
    assert counts(known, "in_sample", "stag_hunt", "team", "canonical") == (30, 10, 0)
    rates = "game,context,rate,answers,invalid\nstag_hunt,team,0.67,3,2\n"
    assert counts(record(tmp_path, {"t": rates}), "x", "stag_hunt", "team", "canonical") == (2, 1, 2)


def test_the_published_counts_are_mapped_by_the_registry_alone():
    registry = read_registry(SCENARIOS.parent / "models.yaml")
    published = registry["published-llama-2-70b"]
    assert isinstance(published, Recorded)
    known = read_answer_record(published, {name: each.path for name, each in published.tables.items() if each.path})
    assert len(known.choices) == 52
    lines = [line.split(",") for line in PUBLISHED.read_text().splitlines()[1:]]
    for split, model, game, context, cooperate, defect in lines:
        if model == "teacher":
            invalid = 300 - int(cooperate) - int(defect)
            assert counts(known, split, game, context, "canonical") == (int(cooperate), int(defect), invalid)
    assert known.mean(Place("new_game", "donation", "village_well", ""))[1] == 7


def test_rows_belong_to_splits_and_frames_by_columns_of_the_file(tmp_path):
    table = (
        "game,context,payoff_factor,frame,yes,no,note\n"
        "stag_hunt,team,1,canonical,1,2,a\nstag_hunt,team,2,canonical,3,4,\nstag_hunt,team,1,swapped,5,6,b\n"
    )
    reading = {
        "columns": {"cooperate": "yes", "defect": "no"},
        "splits": {"in_sample": {"payoff_factor": 1}, "doubled_payoffs": {"payoff_factor": 2}},
        "ignored": ["note"],
    }
    known = record(tmp_path, {"t": table}, ("canonical", "swapped"), **reading)
    assert counts(known, "in_sample", "stag_hunt", "team", "canonical") == (1, 2, 0)
    assert counts(known, "doubled_payoffs", "stag_hunt", "team", "canonical") == (3, 4, 0)
    assert counts(known, "in_sample", "stag_hunt", "team", "swapped") == (5, 6, 0)


def test_a_parquet_file_is_read_as_a_csv_file_is(tmp_path):
    found = source(tmp_path, {"t": COUNTS})
    table = found.tables["t"].model_copy(update={"path": tmp_path / "t.parquet"})
    pl.read_csv(tmp_path / "t.csv").write_parquet(tmp_path / "t.parquet")
    known = [
        read_answer_record(found.model_copy(update={"tables": {"t": each}}), {"t": each.path})
        for each in (table, found.tables["t"])
    ]
    assert [counts(each, "a", "stag_hunt", "sports", "canonical") for each in known] == [(5, 15, 0)] * 2


@pytest.mark.parametrize(
    ("table", "settings", "message"),
    [
        (COUNTS.replace(",30,", ",-3,"), {}, r"t\.csv: row 2: cooperate: must be a number at least 0 \(got '-3'\)"),
        (COUNTS.replace(",30,", ",3.5,"), {}, r"row 2: cooperate: must be a whole number of answers \(got '3.5'\)"),
        (COUNTS.replace(",30,", ",,"), {}, r"row 2: cooperate: must be a number at least 0 \(got ''\)"),
        (COUNTS.replace(",30,", ",nan,"), {}, r"row 2: cooperate: must be a number at least 0 \(got 'nan'\)"),
        (COUNTS.replace("30,10", "0,0"), {}, "row 2: no valid answer"),
        (
            COUNTS.replace("sports", "team"),
            {},
            r"row 3: stag_hunt/team in frame canonical: recorded already in .*row 2",
        ),
        (COUNTS, {"asked": 39}, "row 2: 40 answers, where the registry says that 39 were asked for"),
        (
            "game,context,rate,answers\nstag_hunt,team,1.2,5\n",
            {},
            r"row 2: rate: must be a number between 0 and 1 \(got",
        ),
        (COUNTS.replace("defect", "defects"), {}, r"t\.csv: unknown column defects; allowed: split, game, .*`ignored`"),
        (
            "game,context,cooperate\nstag_hunt,team,1\n",
            {},
            "columns: must be game and context, or reward, sucker, temptation, punish",
        ),
        (
            "game,cooperate,defect\nstag_hunt,1,1\n",
            {},
            "columns: must be game and context, or reward, sucker, temptation, punish",
        ),
        (COUNTS.replace("10\n", "10,1\n", 1), {}, "row 2: has 5 cells where there are 4 columns"),
        (COUNTS, {"columns": {"defect": "no"}}, "no column no, which the registry names; it has game, context, coop"),
        (COUNTS, {"rows": {"game": "chess"}}, r"t\.csv: no rows with game: chess"),
        (COUNTS.replace("team", ""), {}, "row 2: context: empty"),
        (
            "game,context,frame,cooperate,defect\nstag_hunt,team,canon,1,2\n",
            {},
            "row 2: frame: unknown 'canon'; allowed",
        ),
        (REASONS.replace(",defect,", ",defects,"), {}, "row 3: choice: must be cooperate or defect .got 'defects'"),
        (MEANS.replace("2.5", "much"), {}, "row 2: mean: must be a number at least 0 .got 'much'"),
        ("", {}, r"t\.csv: no rows"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(tmp_path, table, settings, message):
    with pytest.raises(InputError, match=message):
        record(tmp_path, {"t": table}, **settings)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "tables.t.path: give a path or a url, and not both"),
        ({"path": "a.csv", "url": "https://example.org/a.csv"}, "tables.t.path: give a path or a url, and not both"),
        ({"url": "https://example.org/a.csv"}, "tables.t.sha256: missing; a url needs the SHA-256"),
        ({"path": "a.xlsx"}, "tables.t.path: must end in .csv or .parquet"),
        ({"path": "a.csv", "columns": {"coop": "a"}}, "tables.t.columns"),
        ({"path": "a.csv", "sha256": "0" * 63}, "tables.t.sha256"),
    ],
)
def test_an_impossible_entry_is_refused(tmp_path, table, message):
    path = tmp_path / "models.yaml"
    path.write_text(yaml.safe_dump({"m": {"source": "recorded", "tables": {"t": table}}}))
    with pytest.raises(InputError, match=f"m: {message}"):
        read_registry(path)


def test_a_file_that_is_not_the_registered_one_is_refused_before_it_is_read(tmp_path):
    with pytest.raises(InputError, match=r"people: .*t\.csv: not the registered file: expected sha256 0+, got"):
        revision("people", source(tmp_path, {"t": COUNTS}, sha256="0" * 64))
    missing = source(tmp_path, {"t": COUNTS})
    (tmp_path / "t.csv").unlink()
    with pytest.raises(InputError, match=r"people: .*t\.csv: cannot be read: No such file"):
        revision("people", missing)


def test_everything_recorded_is_asked_and_the_rates_are_the_counts(tmp_path):
    found = teacher(tmp_path, source(tmp_path, {"choices": COUNTS, "amounts": MEANS, "reasons": REASONS}))
    asked = [prompt("team"), prompt("sports"), prompt("team", frame="swapped")]
    write_prompts(asked, tmp_path / "stag_hunt.json", comprehension=[gift("5")])
    write_prompts([gift()], tmp_path / "donation.json", "amount")
    names = ("choices", "motivations", "amounts", "comprehension")
    paths = {name: tmp_path / f"{name}.parquet" for name in names} | {"answers": answers_path(tmp_path / "choices")}
    Elicitation(found, ASKING, Store(tmp_path / "store")).tables(
        [tmp_path / "stag_hunt.json", tmp_path / "donation.json"], paths
    )
    choices = read_choices(paths["choices"])
    assert choices.select("context", "cooperate", "defect", "other", "evidence").rows() == [
        ("team", 30, 10, 0, "counted"),
        ("sports", 5, 15, 0, "counted"),
    ]
    motivations = read_table(paths["motivations"])
    assert set(motivations.select("context", "choice", "motivation").rows()) == {
        ("team", "cooperate", "We both gain."),
        ("team", "defect", "I am wary."),
    }
    amounts = read_table(paths["amounts"]).row(0, named=True)
    assert amounts["evidence"] == "mean"
    assert sum(number * share for number, share in enumerate(amounts["probabilities"])) == 2.5
    assert len(read_table(paths["answers"])) == len(read_table(paths["comprehension"])) == 0


def test_completions_without_motivations_are_labels_alone_weighted_by_the_counts(tmp_path):
    found = teacher(tmp_path, source(tmp_path, {"t": COUNTS.replace("5,15", "0,20")}))
    asked = [prompt("team"), prompt("sports")]
    elicitation = Elicitation(found, ASKING, Store(tmp_path / "store"))
    elicitation.choices(tmp_path / "choices.parquet", asked)
    elicitation.motivations(tmp_path / "motivations.parquet", [])
    examples = assemble(
        [tmp_path / "choices.parquet"], [tmp_path / "motivations.parquet"], asked, ["canonical"], 0.2
    ).sort("held_back", "context", "completion", descending=[False, True, False])
    one = [("team", "C", 0.75, True), ("team", "D", 0.25, True), ("sports", "D", 1.0, True)]
    assert examples.select("context", "completion", "weight", "finished").rows() == one * 2
    assert examples["held_back"].to_list() == [False] * 3 + [True] * 3


EARNS = "{{ chosen }} earns me {{ chosen_if_cooperating }} or {{ chosen_if_defecting }}"
TEMPLATE = f"{EARNS}, {{{{ other }}}} {{{{ other_if_cooperating }}}}."


def test_reasons_that_nobody_gave_are_written_by_a_template_and_marked_so(tmp_path):
    """The scenario with recorded reasons keeps its own; of the other each choice restates what it earns."""
    plain = source(tmp_path, {"t": COUNTS, "reasons": REASONS})
    found = teacher(tmp_path, plain.model_copy(update={"reasons": TEMPLATE}))
    asked = [prompt("team"), prompt("sports", payoffs={"reward": 10, "sucker": 2.5, "temptation": 5, "punishment": 3})]
    elicitation = Elicitation(found, ASKING, Store(tmp_path / "store"))
    elicitation.choices(tmp_path / "choices.parquet", asked)
    write_prompts(asked, tmp_path / "stag_hunt.json")
    elicitation.tables([tmp_path / "stag_hunt.json"], {"motivations": tmp_path / "motivations.parquet"})
    motivations = read_table(tmp_path / "motivations.parquet")
    assert set(motivations.select("context", "choice", "motivation", "author").rows()) == {
        ("team", "cooperate", "We both gain.", None),
        ("team", "defect", "I am wary.", None),
        ("sports", "cooperate", "C earns me 10 or 2.5, D 5.", "template"),
        ("sports", "defect", "D earns me 5 or 3, C 10.", "template"),
    }
    examples = assemble(
        [tmp_path / "choices.parquet"], [tmp_path / "motivations.parquet"], asked, ["canonical"], 0.2
    ).filter(~pl.col("held_back"))
    assert set(examples.select("context", "completion", "weight", "author").rows()) == {
        ("team", "C\nWe both gain.", 0.75, None),
        ("team", "D\nI am wary.", 0.25, None),
        ("sports", "C\nC earns me 10 or 2.5, D 5.", 0.25, "template"),
        ("sports", "D\nD earns me 5 or 3, C 10.", 0.75, "template"),
    }
    assert written_for_the_teacher([tmp_path / "motivations.parquet"]) == [
        f"{(motivations['author'] == 'template').sum()} motivations were written by a template of the registry, in the "
        "place of a teacher who gave none."
    ]
    page = SimpleNamespace(motivations=[tmp_path / "motivations.parquet"], training={"transfer": None}, teacher=[])
    models = SimpleNamespace(provenance={role: {"model": ["one"]} for role in ("teacher", "base", "tuned")})
    assert "trained on the large one's choices, with reasons of which a template wrote" in lead_of(models, page)
    shown = report_sources.asked(asked, [tmp_path / "motivations.parquet"], 1)
    assert [[each.author for each in place.motivations] for place in shown] == [[None] * 2, ["template"] * 2]
    assert revision("people", plain.model_copy(update={"reasons": TEMPLATE})) != revision("people", plain)


def test_reasons_of_a_teacher_without_a_template_have_no_column_author(tmp_path):
    assert found_columns(tmp_path, source(tmp_path, {"t": COUNTS, "reasons": REASONS})).isdisjoint({"author"})


def found_columns(folder: Path, found: Recorded) -> set[str]:
    elicitation = Elicitation(teacher(folder, found), ASKING, Store(folder / "store"))
    elicitation.motivations(folder / "motivations.parquet", [prompt("team")])
    return set(read_table(folder / "motivations.parquet").columns)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ chosen", "unexpected end of template"),
        ("{{ payoff }}", "'payoff' is undefined. A template may use: chosen, other, cooperate, defect"),
        ("{{ chosen.__class__.__mro__ }}", "access to attribute '__class__' of 'str' object is unsafe"),
        ("{% if false %}x{% endif %}", "renders to nothing"),
        ("{{ 'a' * 1000000000 }}", "at most 20000 is allowed"),
    ],
)
def test_a_template_of_reasons_that_cannot_be_used_is_named_with_what_it_may_use(tmp_path, template, message):
    (tmp_path / "t.csv").write_text(COUNTS)
    entry = {"source": "recorded", "tables": {"t": {"path": "t.csv"}}, "reasons": template}
    (tmp_path / "models.yaml").write_text(yaml.safe_dump({"people": entry}))
    with pytest.raises(InputError, match=re.escape(message)) as found:
        read_registry(tmp_path / "models.yaml")
    assert str(found.value).startswith(f"{tmp_path / 'models.yaml'}: people: reasons: ")


def test_the_mirrored_record_says_in_every_frame_what_was_counted_in_one():
    registry = read_registry(SCENARIOS.parent / "models.yaml")
    one, mirrored = registry["published-llama-2-70b"], registry["published-llama-2-70b-mirrored"]
    assert isinstance(one, Recorded)
    assert isinstance(mirrored, Recorded)
    known, copied = (
        read_answer_record(each, {name: table.path for name, table in each.tables.items() if table.path})
        for each in (one, mirrored)
    )
    assert len(copied.choices) == 4 * len(known.choices)
    for place in copied.choices:
        assert counts(copied, *place) == counts(known, *place._replace(frame="canonical"))


def test_an_edited_count_is_another_revision_and_a_moved_file_is_not(tmp_path):
    for folder in ("here", "there", "edited"):
        (tmp_path / folder).mkdir()
    here, there = (source(tmp_path / folder, {"t": COUNTS}) for folder in ("here", "there"))
    edited = source(tmp_path / "edited", {"t": COUNTS.replace("30", "31")})
    read_otherwise = source(tmp_path / "there", {"t": COUNTS}, asked=40)
    assert revision("people", here) == revision("people", there)
    assert len({revision("people", each) for each in (here, edited, read_otherwise)}) == 3


def test_a_table_elsewhere_is_downloaded_once_and_kept(tmp_path, caplog):
    caplog.set_level("INFO")
    local = source(tmp_path, {"t": COUNTS})
    digest = revision_of_file(tmp_path / "t.csv")
    table = local.tables["t"].model_copy(update={"path": None, "url": (tmp_path / "t.csv").as_uri(), "sha256": digest})
    remote = local.model_copy(update={"tables": {"t": table}})
    assert revision("people", remote) == revision("people", local)
    fetch("people", remote, tmp_path / "kept")
    assert (tmp_path / "kept/t.csv").read_text() == COUNTS
    (tmp_path / "t.csv").unlink()
    fetch("people", remote, tmp_path / "kept")
    assert caplog.text.count("downloading") == 1
    with pytest.raises(InputError, match="cannot be downloaded"):
        fetch("people", remote, tmp_path / "anew")
    (tmp_path / "t.csv").write_text(COUNTS + "\n")
    with pytest.raises(InputError, match=f"not the registered file: expected sha256 {digest}"):
        fetch("people", remote, tmp_path / "anew")
    assert not (tmp_path / "anew").exists()


def revision_of_file(path: Path) -> str:
    from tomtransfer.models.integrity import sha256

    return sha256(path)


def test_a_kept_table_that_was_edited_is_fetched_again(tmp_path):
    found = source(tmp_path, {"t": COUNTS})
    fetch("people", found, tmp_path / "kept")
    (tmp_path / "kept/t.csv").write_text(COUNTS.replace("30", "40"))
    fetch("people", found, tmp_path / "kept")
    assert (tmp_path / "kept/t.csv").read_text() == COUNTS


def test_it_says_what_it_is_not_asked_and_refuses_what_it_has_no_record_of(tmp_path):
    found = teacher(tmp_path, source(tmp_path, {"t": COUNTS, "means": MEANS.replace("2.5", "12")}))
    asked = Questions([prompt("team")], [prompt("team")], [prompt("team")], [], [gift("5")])
    facts = found.check(asked, ASKING)
    assert facts["choices"] == "counted in 1 scenarios"
    assert "questions about the payoffs" in facts["not asked"]
    with pytest.raises(InputError, match=r"no record of 1 scenarios .*: in_sample/stag_hunt/choir in frame canonical"):
        found.check(replace(asked, chosen=[prompt("team"), replace(prompt("team"), context="choir")]), ASKING)
    with pytest.raises(InputError, match=r"one row would answer in two splits, .*: in_sample/.* and doubled/"):
        found.check(replace(asked, chosen=[prompt("team"), prompt("team", split="doubled")]), ASKING)
    with pytest.raises(InputError, match=r"means\.csv: row 2: mean: must be between 0 and 10 \(got 12\)"):
        found.check(replace(asked, amounts=[gift()]), ASKING)
    with pytest.raises(InputError, match="its answers are recorded and none can be drawn; set choices: exact"):
        found.check(asked, replace(ASKING, exact=False))


def experiment(**changes: Any) -> Experiment:
    splits = {"in_sample": Split(contexts=("team", "sports"))}
    return Experiment(
        games=("stag_hunt",),
        **{"splits": splits, "teacher": Teacher(model="people"), "student": Student(model="s"), **changes},
    )


def test_every_scenario_without_a_record_is_listed_before_anything_runs(tmp_path):
    registry, path = {"people": source(tmp_path, {"t": COUNTS})}, tmp_path / "models.yaml"
    check_record(experiment(), registry, path, {})
    frames = {"canonical": Frame(), "swapped": Frame(cooperate="D", defect="C", held_out=True)}
    check_record(experiment(frames=frames), registry, path, {})
    splits = {"in_sample": Split(contexts=("team", "choir", "sports", "abbey"))}
    with pytest.raises(InputError) as error:
        check_record(experiment(splits=splits), registry, path, {})
    assert str(error.value).startswith(
        "people: no record of 2 scenarios that it is asked about: in_sample/stag_hunt/choir in frame canonical "
        "(choices), in_sample/stag_hunt/abbey in frame canonical (choices). Add rows"
    )
    trained = {**frames, "swapped": Frame(cooperate="D", defect="C")}
    with pytest.raises(InputError, match="people: frames: the student is trained in swapped, in which no answers"):
        check_record(experiment(frames=trained), registry, path, {})
    with pytest.raises(InputError, match="none can be drawn"):
        check_record(experiment(choices="sampled"), registry, path, {})


def test_a_record_cannot_be_a_student(tmp_path):
    registry = {"people": source(tmp_path, {"t": COUNTS})}
    with pytest.raises(InputError, match="people: source: recorded: it has no weights to tune"):
        find_student("people", registry, tmp_path / "models.yaml")


def test_models_say_that_they_are_exact_and_can_be_asked_everything(tmp_path):
    model, asked = local_model(tmp_path), Questions([], [], [prompt()], [], [])
    assert (model.known(asked), model.evidence(prompt())) == (asked, "exact")


MATRIX = {
    "matrix": {"down": {"sucker": "2..1"}, "across": {"temptation": "3..5"}},
    "values": {"reward": 10, "punishment": 5, "answers": 10},
    "frame": "any",
}
BOTH_FRAMES = ("canonical", "swapped")


def matrices(folder: Path, *texts: str, **changes: Any) -> AnswerRecord:
    """Write matrices of rates, and return what they record; all but the first are added."""
    tables = {}
    for number, text in enumerate(texts):
        (folder / f"matrix{number}").write_text(text)
        tables[f"t{number}"] = {"path": f"matrix{number}", **MATRIX, "added": number > 0, **changes}
    entry = {"source": "recorded", "frames": list(BOTH_FRAMES), "tables": tables}
    (folder / "models.yaml").write_text(yaml.safe_dump({"people": entry}))
    found = read_registry(folder / "models.yaml")["people"]
    assert isinstance(found, Recorded)
    return read_answer_record(found, {name: each.path for name, each in found.tables.items() if each.path})


def test_a_matrix_of_rates_is_recorded_by_payoffs_in_every_frame_and_counts_add_up(tmp_path):
    known = matrices(tmp_path, "0.9 1.0 0.5\n0.1 0.2 0.3\n", "1.0 0.8 0.5\n0.0 0.4 0.3\n\n")
    for frame in BOTH_FRAMES:
        place = ("unseen_games", "plane", "neutral S2 T3", frame)
        assert counts(known, *place, "R10 S2 T3 P5") == (19, 1, 0)
        assert counts(known, *place, "R10 S1 T5 P5") == (6, 14, 0)
    assert len(known.choices) == 12
    with pytest.raises(InputError, match=r"no record of 1 scenarios that it is asked about: in_sample/plane/neutral"):
        known.require("people", [Place("in_sample", "plane", "neutral S9 T3", "canonical", "R10 S9 T3 P5")], [])
    known.require("people", [Place(split, "plane", "S2 T3", "canonical", "R10 S2 T3 P5") for split in "ab"], [])


def test_the_table_of_the_plane_says_what_the_matrices_say(tmp_path):
    reference = Path(__file__).parents[4] / "shared" / "reference" / "palatsi2025_cooperation.csv"
    if not reference.exists():
        pytest.skip("the table is not part of the project")
    table = {
        "rows": {"respondent": "llama-3.1-8b", "grid": 441},
        "frame": "any",
    }
    known = record(tmp_path, {"t": reference.read_text()}, BOTH_FRAMES, **table)
    assert len(known.choices) == 2 * 441
    assert counts(known, "in_sample", "plane", "x", "swapped", "R10 S20 T0 P5") == (16, 4, 0)


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        ("1 1 1\n", {}, "has 1 lines where sucker 2..1 makes 2"),
        ("1 1 1\n1 1\n", {}, "line 2: has 2 numbers where temptation 3..5 makes 3"),
        ("1 1 1\n1 1 2\n", {}, "line 2, number 3: rate: must be a number between 0 and 1 (got '2')"),
        ("1 1 1\n1 x 1\n", {}, "line 2, number 2: rate: must be a number between 0 and 1 (got 'x')"),
        ("1 1 1\n1 1 1\n", {"values": {"reward": 10, "answers": 5}}, "columns: must be game and context, or reward"),
        ("1 1 1\n1 1 1\n", {"frame": None}, "no column frame, so that `frames` may name one frame alone"),
    ],
)
def test_a_matrix_that_is_wrong_is_refused_by_line_and_number(tmp_path, text, changes, message):
    with pytest.raises(InputError) as error:
        matrices(tmp_path, text, **changes)
    assert message in str(error.value)


def test_a_second_record_of_a_game_is_refused_unless_it_is_added(tmp_path):
    with pytest.raises(InputError, match="recorded already in"):
        matrices(tmp_path, "1 1 1\n1 1 1\n", "1 1 1\n1 1 1\n", added=False)


def test_a_share_of_answers_is_a_count_and_never_more_than_all(tmp_path):
    rows = "reward,sucker,temptation,punishment,answers,cooperate\n10,1,12,5,20,{}\n"
    known = record(tmp_path, {"t": rows.format(16)})
    assert counts(known, "x", "plane", "y", "canonical", "R10 S1 T12 P5") == (16, 4, 0)
    with pytest.raises(InputError, match="row 2: cooperate: must be at most the 20 answers"):
        record(tmp_path, {"t": rows.format(21)})
    with pytest.raises(InputError, match="row 2: sucker: must be a number of points"):
        record(tmp_path, {"t": rows.format(1).replace(",1,12", ",one,12")})


def test_settings_that_say_nothing_leave_a_record_what_it_was(tmp_path):
    known = source(tmp_path, {"t": COUNTS})
    said = revision("people", known)
    assert said == revision("people", source(tmp_path, {"t": COUNTS}, added=False))
    assert said != revision("people", source(tmp_path, {"t": COUNTS}, added=True))
