"""Paths, labels and numbers of an experiment: what is meant is done, and what cannot be meant is refused."""

import pytest

from tomtransfer.experiment.framing import LONGEST_LABEL, Frame, Split
from tomtransfer.experiment.sections import Paths, Sampling, Teacher
from tomtransfer.experiment.validation import InputError, validate


def paths(**given):
    return validate(Paths, given, "config.yaml")


def refused(record, **given):
    with pytest.raises(InputError) as error:
        validate(record, given, "config.yaml")
    return str(error.value)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("SCRATCH", "/scratch/somebody")
    monkeypatch.delenv("NOWHERE", raising=False)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("~/results", "/home/somebody/results"),
        ("$HOME/results", "/home/somebody/results"),
        ("${SCRATCH}/results", "/scratch/somebody/results"),
        ("./results", "results"),
        ("results/", "results"),
        ("a//b/../results", "a/results"),
        ("../results", "../results"),
        ("mine", "mine"),
    ],
)
def test_a_path_is_what_a_shell_would_make_of_it(written, meant):
    assert paths(results=written).results == meant


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("", "must name a file or folder (got '')"),
        ("  ", "must name a file or folder"),
        ("a\nb", "must name a file or folder"),
        ("{game}", "may have no braces, which Snakemake takes for wildcards"),
        ("$NOWHERE/x", "names an environment variable that is not set"),
        (".", "must be a folder of its own"),
        ("..", "must be a folder of its own"),
        ("/", "must be a folder of its own"),
        ("scenarios", "must be apart from scenarios, which people write"),
        ("scenarios/games", "must be apart from scenarios, which people write"),
        ("workflow", "must be apart from workflow, which people write"),
        ("results/store", "results, models and store must be different folders"),
        (".git", "must be apart from .git, which people write"),
    ],
)
def test_a_folder_in_which_results_would_harm_is_refused(written, message):
    assert refused(Paths, results=written).startswith(f"config.yaml: results: {message}")


def test_the_store_is_no_folder_of_results():
    assert "holds results of its own" in refused(Paths, store="results/teacher")


@pytest.mark.parametrize(
    ("cooperate", "defect", "message"),
    [
        ("C", "c", "can be told apart"),
        ("\u00e9", "e\u0301", "must have different labels"),
        ("\uff23", "C", "can be told apart"),
        ("Yes", "Yes_not", "no label may be the beginning of the other"),
        ("stra\u00dfe", "STRASSE", "can be told apart"),
        ("Stag hunt", "stag-hunt", "can be told apart"),
        ("hunt stag", "hunt stag and hare", "no label may be the beginning of the other"),
        ("cooperate", "not cooperate", "no label may stand in the other"),
        ("do_cooperate-now", "cooperate", "no label may stand in the other"),
    ],
)
def test_labels_that_look_alike_are_refused(cooperate, defect, message):
    told = refused(Frame, cooperate=cooperate, defect=defect)
    assert message in told


@pytest.mark.parametrize(
    "label",
    [
        *("C", "1", "Cooperate", "hunt the stag", "work-to-rule", "Yes_I_do"),
        *(
            "Stra\u00dfe",
            "\u5408\u4f5c",
            "\u0441\u043e\u0442\u0440\u0443\u0434\u043d\u0438\u0447\u0430\u0442\u044c",
            "\u0938\u0939\u092f\u094b\u0917",
            "ne pas coop\u00e9rer",
        ),
        "x" * LONGEST_LABEL,
    ],
)
def test_a_label_is_a_letter_a_word_or_a_phrase_of_any_language(label):
    assert validate(Frame, {"cooperate": label, "defect": "Q"}, "config.yaml").options == (label, "Q")


@pytest.mark.parametrize(
    "label",
    [
        *("", " ", "C ", " C", "C  D", "C.", "C, D", "C/D", '"C"', "(C)", "C\nD", "C\tD", "*C*", "_C", "C_", "-", "C-"),
        *("don't", "C\u00a0D", "\u2019", "C:", "x" * (LONGEST_LABEL + 1)),
    ],
)
def test_a_label_with_punctuation_or_stray_spaces_is_refused(label):
    assert refused(Frame, cooperate=label).startswith("config.yaml: cooperate: ")


def test_a_label_is_composed_whatever_the_keyboard_gave():
    frame = validate(Frame, {"cooperate": "coope\u0301rer"}, "config.yaml")
    assert frame.cooperate == "coop\u00e9rer"


@pytest.mark.parametrize(
    ("record", "given", "key"),
    [
        (Teacher, {"model": "one", "seed": 2**63}, "seed"),
        (Teacher, {"model": "one", "seed": -1}, "seed"),
        (Teacher, {"model": "one", "seed": True}, "seed"),
        (Sampling, {"answers": 10**12}, "answers"),
        (Sampling, {"answers": 2.5}, "answers"),
        (Sampling, {"answers": "three"}, "answers"),
        (Sampling, {"answers": "010"}, "answers"),
        (Split, {"contexts": ["team"], "payoff_factor": 1e308}, "payoff_factor"),
        (Split, {"contexts": ["team"], "payoff_factor": True}, "payoff_factor"),
        (Split, {"contexts": ["team"], "payoff_factor": "2 points"}, "payoff_factor"),
    ],
)
def test_numbers_beyond_reason_are_refused(record, given, key):
    assert refused(record, **given).startswith(f"config.yaml: {key}: ")


def test_a_number_with_an_exponent_is_a_number_though_yaml_reads_it_as_text():
    assert validate(Split, {"contexts": ["team"], "payoff_factor": "5e-5"}, "c").payoff_factor == 5e-5


@pytest.mark.parametrize("given", ["12", 12])
def test_a_number_in_a_text_is_that_number_as_the_command_line_gives_it(given):
    assert validate(Sampling, {"answers": given}, "--config").answers == 12


@pytest.mark.parametrize(("given", "meant"), [("true", True), ("false", False)])
def test_so_is_true_or_false(given, meant):
    assert validate(Frame, {"held_out": given}, "--config").held_out is meant
