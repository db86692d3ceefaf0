"""What came across in training: one of a few named verdicts, each with a rule that is stated and computed here alone.

A claim is made only of what an interval shows. "Strategy" is said only of the pattern of preferences over scenarios,
and only where the student is nearer to the teacher than every policy that ignores the scenario.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from tomtransfer.measurement.answer_format import Format
from tomtransfer.measurement.components import SMALLEST_PART, Component
from tomtransfer.measurement.distances import Gap

SMALLEST_SHARE = 0.05
"""The share of the squared distance before training that a part must have been, and of it that must have been closed,
for the part to be named. Of the pattern the second alone: the habits of a base student can drown the first."""

FLOOR_ARM = "shuffled"
"""The arm whose students are a floor: they were taught all of the teacher's answers but which scenario is which."""

SMALLEST_DROP = 0.01
"""The share of all answers that must have become valid for a change of format to be named."""


@dataclass(frozen=True)
class SplitNumbers:
    """What is known of one split: the gap in rates, its components in log-odds by part, and the format of answers.

    Without the four frames of a pair of labels there are no components; what only they can tell is then not claimed.
    """

    gap: Gap
    components: Mapping[str, Component]
    format: Format


@dataclass(frozen=True)
class Criterion:
    """Something that may be shown in a split: its rule in words, and whether numbers fulfil it."""

    rule: str
    holds: Callable[[SplitNumbers], bool]


Shown: TypeAlias = AbstractSet[str]
"""The names of the criteria that a split fulfils."""


@dataclass(frozen=True)
class Verdict:
    """What may be said: a sentence, its rule in words, and whether the rule holds of what the splits show.

    The rule is for the split that is judged and for those held-out splits that have a gap, if any were asked.
    """

    name: str
    rule: str
    sentence: str
    names: Shown
    """The criteria that the sentence speaks of."""
    holds: Callable[[Shown, Sequence[Shown]], bool]


@dataclass(frozen=True)
class Judgement:
    """The verdict on a split or on an experiment, and what else is shown in it."""

    verdict: Verdict
    also: tuple[str, ...]
    """Criteria that are fulfilled and that the verdict does not speak of."""
    sentence: str
    """The verdict's sentence, one on what else came across, and one where the teacher had no habits to take over."""


def _part(name: str) -> Callable[[SplitNumbers], bool]:
    def closed(numbers: SplitNumbers) -> bool:
        part = numbers.components.get(name)
        if part is None or not part.closed.positive:
            return False
        return min(part.share_before or 0, part.closed.value or 0) >= SMALLEST_SHARE

    return closed


def _teacher_without_habits(numbers: SplitNumbers) -> bool:
    parts = numbers.components
    if not parts:
        return False
    habit, everything = parts["habit"].in_teacher, parts["all"].in_teacher
    return habit < max(SMALLEST_SHARE * everything, SMALLEST_PART)


def _beyond_shuffled(found: Gap | Component) -> bool:
    """Tell whether more was closed than by a student of shuffled answers, or whether none was trained."""
    return FLOOR_ARM not in found.arms or found.arms[FLOOR_ARM].beyond.positive


def _pattern(numbers: SplitNumbers) -> bool:
    pattern = numbers.components.get("pattern")
    if pattern is None or (pattern.closed.value or 0) < SMALLEST_SHARE:
        return False
    return pattern.closed.positive and pattern.beyond.positive and _beyond_shuffled(pattern)


def _above_floors(numbers: SplitNumbers) -> bool:
    return all(beyond.positive for beyond in numbers.gap.beyond.values()) and _beyond_shuffled(numbers.gap)


def _beyond_floors(numbers: SplitNumbers) -> bool:
    return numbers.gap.closed.positive and _above_floors(numbers)


def _preference(numbers: SplitNumbers) -> bool:
    return _pattern(numbers) and _above_floors(numbers)


_PART_RULE = (
    f"{{}} made up {100 * SMALLEST_SHARE:g} % or more of the squared distance before training, as much of it or more "
    "was closed, and the interval of what was closed lies above 0"
)
CRITERIA: Mapping[str, Criterion] = MappingProxyType(
    {
        "gap": Criterion(
            "teacher and base student differ by one percentage point or more on average, and by more than counted "
            "answers would by chance",
            lambda numbers: not numbers.gap.no_gap,
        ),
        "nearer": Criterion("the interval of the gap closed lies above 0", lambda numbers: numbers.gap.closed.positive),
        "beyond floors": Criterion(
            "the interval of the gap closed lies above 0, and so do those of what was closed beyond the best constant, "
            "beyond the student's own mean, beyond a fair coin and, where one was trained, beyond a student of "
            "shuffled answers",
            _beyond_floors,
        ),
        "worse": Criterion("the interval of the gap closed lies below 0", lambda numbers: numbers.gap.closed.negative),
        "format": Criterion(
            "the share of invalid answers fell by one percentage point or more, and the interval of the drop lies "
            "above 0",
            lambda numbers: numbers.format.drop.positive and (numbers.format.drop.value or 0) >= SMALLEST_DROP,
        ),
        "habit": Criterion(_PART_RULE.format("label and order effects"), _part("habit")),
        "no habits to take over": Criterion(
            f"label and order effects are less than {100 * SMALLEST_SHARE:g} % of the teacher's own squared log-odds, "
            "or less than one percentage point at even odds",
            _teacher_without_habits,
        ),
        "level": Criterion(_PART_RULE.format("the level of preferences"), _part("level")),
        "pattern": Criterion(
            f"the pattern of preferences over scenarios: {100 * SMALLEST_SHARE:g} % or more of it was closed, the "
            "interval of that share lies above 0, and so does that of what was closed beyond a constant and, where one "
            "was trained, beyond a student of shuffled answers",
            _pattern,
        ),
        "preference": Criterion(
            "the pattern is shown, and the intervals of the gap closed beyond the best constant, beyond the student's "
            "own mean, beyond a fair coin and, where one was trained, beyond a student of shuffled answers lie above 0",
            _preference,
        ),
    }
)
"""What may be shown in a split, by name."""

_STRATEGY = "The student took over the teacher's strategy, how its preference differs between scenarios"
VERDICTS = (
    Verdict(
        "no gap to close",
        "no gap is shown",
        "The base student is not shown to differ from the teacher, so that there is no gap to close.",
        frozenset(),
        lambda shown, held_out: "gap" not in shown,
    ),
    Verdict(
        "worse than before",
        "worse is shown",
        "Training moved the student away from the teacher.",
        frozenset({"worse"}),
        lambda shown, held_out: "worse" in shown,
    ),
    Verdict(
        "preference that generalises",
        "preference is shown, and in every held-out split with a gap as well",
        f"{_STRATEGY}, and shows it wherever else it was asked.",
        frozenset({"preference", "pattern"}),
        lambda shown, held_out: "preference" in shown and _in_all(held_out),
    ),
    Verdict(
        "preference that generalises in part",
        "preference is shown, and in some held-out splits with a gap as well",
        f"{_STRATEGY}, and shows it in some of the other scenarios and frames that it was asked in.",
        frozenset({"preference", "pattern"}),
        lambda shown, held_out: "preference" in shown and _in_some(held_out),
    ),
    Verdict(
        "preference in sample alone",
        "preference is shown, and in no held-out split with a gap",
        f"{_STRATEGY}, but is not shown to beyond those that it was trained on.",
        frozenset({"preference", "pattern"}),
        lambda shown, held_out: "preference" in shown and len(held_out) > 0,
    ),
    Verdict(
        "preference",
        "preference is shown, and no held-out split with a gap was asked",
        f"{_STRATEGY}.",
        frozenset({"preference", "pattern"}),
        lambda shown, held_out: "preference" in shown,
    ),
    Verdict(
        "pattern within the floors",
        "pattern is shown",
        "How the student's preference differs between scenarios came closer to the teacher's than any constant, but "
        "its choices are not shown to be nearer to the teacher's than those of a constant.",
        frozenset({"pattern"}),
        lambda shown, held_out: "pattern" in shown,
    ),
    Verdict(
        "level shift and habit alone",
        "level and habit are shown",
        "The student took over how much the teacher cooperates on the whole, and its habits with labels and positions, "
        "but is not shown to tell scenarios apart as the teacher does.",
        frozenset({"level", "habit"}),
        lambda shown, held_out: shown >= {"level", "habit"},
    ),
    Verdict(
        "level shift alone",
        "level is shown",
        "The student took over how much the teacher cooperates on the whole, but is not shown to tell scenarios "
        "apart as the teacher does.",
        frozenset({"level"}),
        lambda shown, held_out: "level" in shown,
    ),
    Verdict(
        "habit alone",
        "habit is shown",
        "The student came closer to the teacher's habits with labels and positions, but is not shown to have taken "
        "over what the teacher prefers.",
        frozenset({"habit"}),
        lambda shown, held_out: "habit" in shown,
    ),
    Verdict(
        "nearer than the floors",
        "beyond floors is shown",
        "The student came nearer to the teacher than any policy that ignores the scenario, but it is not shown whether "
        "by preferences or by habits.",
        frozenset({"nearer", "beyond floors"}),
        lambda shown, held_out: "beyond floors" in shown,
    ),
    Verdict(
        "nearer",
        "nearer is shown",
        "The student came nearer to the teacher, but is not shown to be nearer than policies that ignore the scenario, "
        "nor by what.",
        frozenset({"nearer"}),
        lambda shown, held_out: "nearer" in shown,
    ),
    Verdict(
        "format alone",
        "format is shown",
        "More of the student's answers are valid, but it is not shown to choose more as the teacher does.",
        frozenset({"format"}),
        lambda shown, held_out: "format" in shown,
    ),
    Verdict(
        "neither",
        "none of the above",
        "Neither the teacher's habits nor its preferences are shown to have come across.",
        frozenset(),
        lambda shown, held_out: True,
    ),
)
"""In order of precedence: the verdict is the first whose rule holds."""

ALSO = {
    "format": "more of its answers are valid",
    "habit": "its habits with labels and positions came closer to the teacher's",
    "level": "how much it cooperates on the whole came closer to the teacher's",
    "pattern": "how its preference differs between scenarios came closer to the teacher's",
}
"""What is said of a criterion that the verdict does not speak of."""

NO_HABITS = " The teacher has next to no such habits; those that the student lost were its own."
"""What is said where habits came closer to those of a teacher that has none."""


def judge(numbers: SplitNumbers, held_out: Mapping[str, SplitNumbers] = MappingProxyType({})) -> Judgement:
    """Return the verdict on a split or, given those that were not trained on, on the experiment.

    `numbers` are those of the split that is judged, of an experiment the one that was trained on.
    """
    shown = criteria_shown(numbers)
    elsewhere = [each for each in map(criteria_shown, held_out.values()) if "gap" in each]
    verdict = next(verdict for verdict in VERDICTS if verdict.holds(shown, elsewhere))
    also = tuple(name for name in ALSO if name in shown - verdict.names)
    clauses = "; ".join(ALSO[name] for name in also)
    sentence = f"{verdict.sentence} Besides, {clauses}." if also else verdict.sentence
    return Judgement(verdict, also, sentence + (NO_HABITS if shown >= {"habit", "no habits to take over"} else ""))


def criteria_shown(numbers: SplitNumbers) -> frozenset[str]:
    """Return the names of the criteria that a split fulfils."""
    return frozenset(name for name, criterion in CRITERIA.items() if criterion.holds(numbers))


def verdict_rows() -> list[dict[str, str]]:
    """Return the table of verdicts for the documentation, in order of precedence."""
    return [{"verdict": each.name, "rule": each.rule, "sentence": each.sentence} for each in VERDICTS]


def criterion_rows() -> list[dict[str, str]]:
    """Return the table of what the rules of verdicts speak of."""
    return [{"is shown": name, "where": criterion.rule} for name, criterion in CRITERIA.items()]


def _in_all(held_out: Sequence[Shown]) -> bool:
    return bool(held_out) and all("preference" in shown for shown in held_out)


def _in_some(held_out: Sequence[Shown]) -> bool:
    return any("preference" in shown for shown in held_out)
