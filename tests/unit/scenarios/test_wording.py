"""Wordings: what a folder of templates says of a language; neither another language nor money needs any code."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.games import load_context
from tomtransfer.scenarios.kinds import game_facts, game_hashes, write_game
from tomtransfer.scenarios.languages import LANGUAGES
from tomtransfer.scenarios.questions import Prompt, read_comprehension, read_prompts, read_queries
from tomtransfer.scenarios.rendering import render_scenario
from tomtransfer.scenarios.wording import Counted, Words, read_wording

Read = Callable[..., Experiment]

GERMAN = ["presets/german.yaml"]
WORDS = Path("scenarios/prompts/english/words.yaml")
GERMAN_WORDS = Path("scenarios/prompts/german/words.yaml")


def change(file: Path, **changes: object) -> None:
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changes, allow_unicode=True))


def prompt_of(experiment: Experiment, game: str, context: str) -> Prompt:
    """The first prompt of a scenario: in sample, in the scored frame."""
    return render_scenario(experiment, game, context)[0]


def test_a_german_prompt_is_german_in_every_sentence(read: Read) -> None:
    experiment = read(GERMAN, student={"question": "answer_only"})
    [prompt] = [
        prompt
        for prompt in render_scenario(experiment, "prisoners_dilemma", "team")
        if (prompt.split, prompt.frame, prompt.question) == ("in_sample", "canonical", "answer_only")
    ]
    assert prompt.system == (
        "Du und ein Kollege seid beide gerade befördert worden und leitet nun gemeinsam ein Projekt. Dein Kollege hat "
        "den gleichen Rang, das gleiche Gehalt und ebenso viel Erfahrung wie du. Diese Person ist dein Mitspieler. "
        "Jeder von euch muss der Geschäftsleitung sagen, nach welcher von zwei Methoden er in seinem Teil des "
        "Projekts arbeitet; die Geschäftsleitung billigt beide, und die Kunden merken keinen Unterschied. Jeder Punkt "
        "steht für einen zusätzlichen Urlaubstag nach dem Projekt für den, der ihn erhält. Ihr werdet gleichzeitig in "
        "getrennten Räumen gefragt; dein Mitspieler antwortet also, ohne dich zu hören. Danach arbeitet ihr in "
        "verschiedenen Ländern und habt keine gemeinsame Aufgabe mehr."
    )
    assert prompt.user == (
        "Du und dein Mitspieler habt dieselben zwei Möglichkeiten: C und D. Ihr wisst beide, was jede Kombination "
        "eurer Entscheidungen einbringt:\n"
        "Wenn ihr beide C wählt, erhält jeder von euch 5 Punkte.\n"
        "Wenn du C wählst und dein Mitspieler D wählt, erhältst du 2 Punkte, und dein Mitspieler erhält 10 Punkte.\n"
        "Wenn du D wählst und dein Mitspieler C wählt, erhältst du 10 Punkte, und dein Mitspieler erhält 2 Punkte.\n"
        "Wenn ihr beide D wählt, erhält jeder von euch 3 Punkte.\n"
        "Welche Möglichkeit wählst du? Antworte nur mit C oder D."
    )


def test_german_has_every_game_and_every_context_and_shares_no_prompt_with_english(read: Read, tmp_path: Path) -> None:
    asked: dict[str, dict[str, set[tuple[str, ...]]]] = {}
    texts: dict[str, set[str]] = {}
    for language, presets in {"english": [], "german": GERMAN}.items():
        experiment = read(presets)
        asked[language], texts[language] = {}, set()
        for game in experiment.every_game:
            path = tmp_path / f"{language}.{game}.json"
            write_game(experiment, game, path)
            everything = [*read_prompts([path]), *read_queries([path]), *read_comprehension([path])]
            asked[language][game] = {
                (each.split, each.context, each.frame, each.question, str(getattr(each, "right", "")))
                for each in everything
            }
            texts[language] |= {part for each in everything for part in (each.system, each.user)}
    assert asked["english"] == asked["german"]  # the right answers to the questions about payoffs included
    assert set(asked["german"]) == {
        "prisoners_dilemma", "snowdrift", "stag_hunt", "prisoners_delight", "donation",
    }  # fmt: skip
    assert not texts["english"] & texts["german"]
    for word in ("coplayer", "point", "choose", "dollar", "you ", "Answer"):
        assert not [text for text in texts["german"] if word in text]


def test_german_asks_what_the_payoffs_are(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "prompts.json"
    write_game(read(GERMAN), "snowdrift", path)
    questions = {query.question: query for query in read_comprehension([path]) if query.split == "new_contexts"}
    assert questions["points_C_C"].user.endswith(
        "Wie viele Punkte erhältst du, wenn ihr beide C wählt? Antworte nur mit der Zahl."
    )
    assert questions["points_C_D"].user.endswith(
        "Wie viele Punkte erhältst du, wenn du C wählst und dein Mitspieler D wählt? Antworte nur mit der Zahl."
    )
    assert "Welche Möglichkeit wählt dein Mitspieler in diesem Fall?" in questions["best_coplayer"].user
    assert (questions["points_C_D"].right, questions["best_coplayer"].right) == ("3", "C")


def test_the_donation_is_of_the_unit_that_the_language_has_for_it(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "prompts.json"
    write_game(read(GERMAN), "donation", path)
    [query] = read_queries([path])
    assert (
        "Ihr seid 4 Personen. Jede hat 10 Euro und darf davon jeden ganzzahligen Betrag von 0 bis 10 geben."
        in query.user
    )
    assert "Wie viele Euro gibst du?" in query.user
    assert game_facts(read(GERMAN), "donation")["unit"] == "Euro"
    assert game_facts(read(), "donation")["unit"] == "dollars"
    change(Path("scenarios/games/donation.yaml"), unit="złotych", multiplier=1.6)
    write_game(read(GERMAN), "donation", path)
    [query] = read_queries([path])
    assert "hat 10 złotych" in query.user
    assert "mit 1,6 multipliziert" in query.user
    assert query.payoffs["multiplier"] == 1.6


@pytest.mark.parametrize(
    ("words", "digits", "written"),
    [
        ({}, "1", "1 point"),
        ({}, "0", "0 points"),
        ({}, "-1", "-1 points"),
        ({}, "10", "10 points"),
        ({}, "1.5", "1.5 points"),
        ({"decimal_mark": ","}, "1.5", "1,5 points"),
        ({"points": Counted(singular="dollar", plural="dollars")}, "1", "1 dollar"),
    ],
)
def test_what_is_earned_is_written_in_the_words_of_the_language(
    words: dict[str, object], digits: str, written: str
) -> None:
    given = {"language": "English", "coplayer": "coplayer", "points": Counted(singular="point", plural="points")}
    assert Words(**{**given, **words}).earned(digits) == written


def test_money_in_place_of_points_is_a_folder_and_a_name(project: Path, read: Read) -> None:
    folder = project / "scenarios" / "prompts"
    shutil.copytree(folder / "english", folder / "money")
    change(folder / "money" / "words.yaml", points={"singular": "dollar", "plural": "dollars"}, coplayer="counterpart")
    for template in (folder / "money").glob("*/system.j2"):
        template.write_text(template.read_text().replace("{{ context.points }}", "Dollars are paid in cash."))
    for file in (project / "scenarios" / "contexts").glob("*.yaml"):
        file.write_text(file.read_text().replace("coplayer", "counterpart"))
    prompt = prompt_of(read(templates="money"), "stag_hunt", "sports")
    assert "This person is your counterpart." in prompt.system
    assert "Dollars are paid in cash." in prompt.system
    assert (
        "If you choose C and your counterpart chooses D, you earn 3 dollars"
        in prompt_of(read(templates="money"), "prisoners_delight", "sports").user
    )
    assert "point" not in prompt.system + prompt.user


def test_a_language_whose_contexts_have_no_folder_of_their_own_takes_those_of_all(project: Path, read: Read) -> None:
    shutil.rmtree(project / "scenarios" / "contexts" / "german")
    with pytest.raises(InputError) as error:
        prompt_of(read(GERMAN), "stag_hunt", "team")
    assert str(error.value) == (
        "scenarios/contexts/team.yaml: independence: the other person must be called the 'Mitspieler' here, as in "
        "scenarios/prompts/german/words.yaml (got 'You are asked at the same time in separate rooms, so your coplayer "
        "answers without hearing you.')"
    )


@pytest.mark.parametrize("sentence", ["Deine Mitspielerin entscheidet allein.", "Allein entscheidet dein mitspieler."])
def test_a_context_may_bend_the_word_for_the_coplayer(project: Path, sentence: str) -> None:
    change(project / "scenarios/contexts/german/team.yaml", independence=sentence)
    wording = read_wording(Path("scenarios"), "german")
    assert load_context(wording, "team").independence == sentence


def test_a_language_without_phrases_says_that_sentences_are_not_read(project: Path) -> None:
    assert not read_wording(Path("scenarios"), "english").words.reading
    assert not read_wording(Path("scenarios"), "german").words.reading
    change(GERMAN_WORDS, phrases=None)
    assert "German, for which the parser has no phrases" in read_wording(Path("scenarios"), "german").words.reading


def test_every_language_whose_phrases_are_known_can_be_named_in_a_wording(project: Path) -> None:
    for language in LANGUAGES:
        change(GERMAN_WORDS, phrases=language)
        words = read_wording(Path("scenarios"), "german").words
        assert (words.phrases, words.reading) == (language, "")


@pytest.mark.parametrize("name", ["english", "german"])
def test_numbers_are_read_as_the_prompts_write_them(project: Path, name: str) -> None:
    words = read_wording(Path("scenarios"), name).words
    assert LANGUAGES[name].decimal == words.decimal_mark


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"coplayer": ""}, "words.yaml: coplayer: "),
        ({"points": "points"}, "words.yaml: points: "),
        ({"points": {"singular": "point"}}, "words.yaml: points.plural: missing"),
        ({"decimal_mark": "'"}, "words.yaml: decimal_mark: "),
        ({"phrases": "klingon"}, "words.yaml: phrases: "),
        ({"coplayers": "coplayers"}, "words.yaml: coplayers: unknown key; did you mean 'coplayer'?"),
    ],
)
def test_words_that_are_wrong_name_file_and_key(
    project: Path, read: Read, changes: dict[str, object], message: str
) -> None:
    change(WORDS, **changes)
    with pytest.raises(InputError) as error:
        prompt_of(read(), "stag_hunt", "team")
    assert message in str(error.value)


def test_unknown_templates_list_what_there_is(read: Read) -> None:
    with pytest.raises(InputError) as error:
        prompt_of(read(templates="germn"), "stag_hunt", "team")
    assert str(error.value) == (
        "templates: there is no folder scenarios/prompts/germn; scenarios/prompts has: english, german"
    )


def test_another_language_changes_every_hash_and_a_word_that_is_not_told_changes_none(
    project: Path, read: Read
) -> None:
    english, german = (game_hashes(read(presets), read().every_game) for presets in ([], GERMAN))
    assert not set(english.values()) & set(german.values())
    change(WORDS, language="British English", units={"sheep": "lambs"})
    assert game_hashes(read(), read().every_game) == english
    change(WORDS, points={"singular": "point", "plural": "credits"})
    after = game_hashes(read(), read().every_game)
    assert {game for game in after if after[game] == english[game]} == {"donation"}
