"""What is known about how models choose: exact probabilities or counted answers, checked once and scored alike."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.measures import Array, divide

EvidenceKind: TypeAlias = Literal["exact", "counted"]
Among: TypeAlias = Literal["valid answers", "all answers"]

ROLES = ("teacher", "base", "tuned")
"""The models of a comparison, by their role."""

COUNTED_MODELS = {"teacher": "teacher", "base": "student_base", "tuned": "student_tuned"}
"""The role of each model in a comparison, and its name in a counts file."""

TOLERANCE = 1e-6
"""How far probabilities may be from a sum of 1: a softmax in single precision is within it."""


class Scenario(NamedTuple):
    """One game in one context, in the split it belongs to."""

    split: str
    game: str
    context: str

    def __str__(self) -> str:
        """Return split/game/context, as errors name it."""
        return "/".join(self)


@dataclass(frozen=True, eq=False)
class Evidence:
    """One model's choices over scenarios: probabilities that sum to 1 ("exact") or whole counts ("counted").

    `cooperate`, `defect` and `other` (anything that is neither) are arrays of shape (scenarios,).
    Raises InputError naming every scenario and value that is wrong.
    """

    scenarios: tuple[Scenario, ...]
    cooperate: Array
    defect: Array
    other: Array
    kind: EvidenceKind

    def __post_init__(self) -> None:
        """Refuse anything that is not a distribution or a set of counts."""
        if not self.scenarios:
            raise InputError("no scenarios: nothing to score")
        for outcome, values in self._outcomes():
            if values.shape != (len(self.scenarios),):
                raise InputError(f"{outcome}: expected {len(self.scenarios)} values, got shape {values.shape}")
        repeated = [scenario for scenario, times in Counter(self.scenarios).items() if times > 1]
        mistakes = [f"{scenario}: given more than once" for scenario in repeated] or list(self._mistakes())
        if mistakes:
            raise InputError("\n".join(mistakes))

    @classmethod
    def from_probabilities(
        cls, scenarios: Sequence[Scenario], cooperate: ArrayLike, defect: ArrayLike, other: ArrayLike
    ) -> Self:
        """Return exact evidence from probabilities in [0, 1], each of shape (scenarios,), that sum to 1.

        Raises InputError for values outside [0, 1], NaN, and sums further than 1e-6 from 1.
        """
        return cls(tuple(scenarios), _floats(cooperate), _floats(defect), _floats(other), "exact")

    @classmethod
    def from_counts(
        cls, scenarios: Sequence[Scenario], cooperate: ArrayLike, defect: ArrayLike, other: ArrayLike | None = None
    ) -> Self:
        """Return counted evidence from numbers of answers, each of shape (scenarios,); `other` is 0 when not given.

        Raises InputError for counts that are negative, not whole or NaN, and for scenarios without any answer.
        """
        others = np.zeros(len(scenarios)) if other is None else _floats(other)
        return cls(tuple(scenarios), _floats(cooperate), _floats(defect), others, "counted")

    @property
    def answers(self) -> Array:
        """The number of answers per scenario, shape (scenarios,); 1 (up to rounding) where the evidence is exact."""
        return self.cooperate + self.defect + self.other

    @property
    def distribution(self) -> Array:
        """The share of each outcome, shape (3, scenarios)."""
        return np.stack([self.cooperate, self.defect, self.other]) / self.answers

    def select(self, chosen: NDArray[np.intp]) -> "Evidence":
        """Return the evidence of the scenarios at `chosen` positions."""
        scenarios = tuple(self.scenarios[position] for position in chosen)
        return Evidence(scenarios, self.cooperate[chosen], self.defect[chosen], self.other[chosen], self.kind)

    def of_split(self, split: str) -> "Evidence":
        """Return the evidence of the scenarios of a split; raises InputError when there are none."""
        return self.select(np.flatnonzero([scenario.split == split for scenario in self.scenarios]))

    def _outcomes(self) -> Iterator[tuple[str, Array]]:
        yield from (("cooperate", self.cooperate), ("defect", self.defect), ("other", self.other))

    def _mistakes(self) -> Iterator[str]:
        for outcome, values in self._outcomes():
            for scenario, value in zip(self.scenarios, values, strict=True):
                if problem := _problem(value, self.kind):
                    yield f"{scenario}: {outcome}: {problem} (got {value:g})"
        for scenario, total in zip(self.scenarios, self.answers, strict=True):
            if self.kind == "exact" and abs(total - 1) > TOLERANCE:
                yield f"{scenario}: probabilities must sum to 1 (got {total:g})"
            if self.kind == "counted" and total == 0:
                yield f"{scenario}: no answers: the counts sum to 0"


@dataclass(frozen=True, eq=False)
class Comparison:
    """Teacher, base student and tuned student over the same scenarios in the same order.

    `among` says what a cooperation rate is a share of: the valid answers (cooperate or defect), or all of them, invalid
    ones included. Where choices are averages over frames, `by_frame` has the same scenarios in each frame; where the
    tuned student's are averages over several trainings, `by_training` has them after each, with frames of their own.
    Raises InputError where the scenarios differ, and where a model has no valid answer to divide by.
    """

    teacher: Evidence
    base: Evidence
    tuned: Evidence
    among: Among = "valid answers"
    by_frame: "tuple[Comparison, ...]" = ()
    by_training: "tuple[Comparison, ...]" = ()

    def __post_init__(self) -> None:
        """Refuse models that were not asked the same, and rates that do not exist."""
        mistakes = [mistake for model, evidence in self.models.items() for mistake in self._mistakes(model, evidence)]
        if mistakes:
            raise InputError("\n".join(mistakes))

    @property
    def models(self) -> Mapping[str, Evidence]:
        """The evidence by the model's role: teacher, base, tuned."""
        return {"teacher": self.teacher, "base": self.base, "tuned": self.tuned}

    @property
    def scenarios(self) -> tuple[Scenario, ...]:
        """The scenarios that all three models share."""
        return self.teacher.scenarios

    @property
    def rates(self) -> tuple[Array, Array, Array]:
        """The cooperation rates of teacher, base and tuned, each of shape (scenarios,)."""
        teacher, base, tuned = (cooperation_rates(each.distribution, self.among) for each in self.models.values())
        return teacher, base, tuned

    def answers(self, model: str) -> Array:
        """Return what a model's rates are shares of, shape (scenarios,)."""
        evidence = self.models[model]
        return denominator(np.stack([evidence.cooperate, evidence.defect, evidence.other]), self.among)

    def select(self, chosen: NDArray[np.intp]) -> "Comparison":
        """Return the comparison over the scenarios at `chosen` positions."""
        teacher, base, tuned = (each.select(chosen) for each in self.models.values())
        by_frame, by_training = (
            tuple(each.select(chosen) for each in parts) for parts in (self.by_frame, self.by_training)
        )
        return Comparison(teacher, base, tuned, self.among, by_frame, by_training)

    @property
    def frames(self) -> "tuple[Comparison, ...]":
        """The comparison in each frame; of choices that are no averages, the comparison itself."""
        return self.by_frame or (self,)

    @property
    def trainings(self) -> "tuple[Comparison, ...]":
        """The comparison after each training; of a single one, the comparison itself."""
        return self.by_training or (self,)

    def groups(self, *labels: str) -> dict[tuple[str, ...], NDArray[np.intp]]:
        """Return the positions of the scenarios that share `labels`, such as "split", "game", by their values."""
        positions = defaultdict(list)
        for position, scenario in enumerate(self.scenarios):
            positions[tuple(getattr(scenario, label) for label in labels)].append(position)
        return {values: np.asarray(members) for values, members in positions.items()}

    def _mistakes(self, model: str, evidence: Evidence) -> Iterator[str]:
        if missing := sorted(set(self.scenarios) - set(evidence.scenarios)):
            yield f"{model}: missing scenarios that the teacher has: {', '.join(map(str, missing))}"
        elif extra := sorted(set(evidence.scenarios) - set(self.scenarios)):
            yield f"{model}: scenarios that the teacher does not have: {', '.join(map(str, extra))}"
        elif evidence.scenarios != self.scenarios:
            yield f"{model}: the scenarios are in another order than the teacher's"
        undefined = np.isnan(cooperation_rates(evidence.distribution, self.among))
        if undefined.any():
            names = ", ".join(str(evidence.scenarios[position]) for position in np.flatnonzero(undefined))
            yield f"{model}: no valid answer (neither cooperate nor defect), so no cooperation rate: {names}"


def cooperation_rates(outcomes: Array, among: Among) -> Array:
    """Return the share that cooperates. Outcomes (3, ..., scenarios), shares or counts, -> (..., scenarios).

    Nan where there is nothing to take a share of.
    """
    whole = denominator(outcomes, among)
    return divide(outcomes[0], whole, whole > 0)


def denominator(outcomes: Array, among: Among) -> Array:
    """Return what a rate is a share of: the valid outcomes or all of them. (3, ..., scenarios) -> (..., scenarios)."""
    whole: Array = outcomes[:2].sum(axis=0) if among == "valid answers" else outcomes.sum(axis=0)
    return whole


def read_counts(path: Path, asked: int | None = None, among: Among = "valid answers") -> Comparison:
    """Return the comparison in a csv file with columns split, model, game, context, cooperate and defect.

    Models are teacher, student_base and student_tuned. When every scenario was `asked` that many times, the answers
    that the file does not hold count as other. Raises InputError for a file that cannot be read, a count that is wrong,
    and a model or scenario that is missing or repeated.
    """
    rows = read_csv(path, ["split", "model", "game", "context", "cooperate", "defect"])
    unknown = sorted({row["model"] for row in rows} - set(COUNTED_MODELS.values()))
    if unknown:
        raise InputError(f"{path}: model: unknown {', '.join(unknown)}. Allowed: {', '.join(COUNTED_MODELS.values())}")
    try:
        teacher, base, tuned = (
            _counts([row for row in rows if row["model"] == name], asked, name) for name in COUNTED_MODELS.values()
        )
        return Comparison(teacher, _in_order(base, teacher), _in_order(tuned, teacher), among=among)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def read_csv(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Return the rows of a csv file that has at least `columns`.

    Raises InputError when the file cannot be read, lacks a column, or has a row of the wrong length.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as csv: {error}") from error
    missing = [column for column in columns if column not in (reader.fieldnames or ())]
    if missing:
        raise InputError(f"{path}: missing columns: {', '.join(missing)}")
    return rows


def read_number(row: Mapping[str, str], column: str, where: str) -> float:
    """Return the number in a row's column; raises InputError naming `where` when it is none."""
    try:
        return float(row[column])
    except ValueError:
        raise InputError(f"{where}: {column}: must be a number (got {row[column]!r})") from None


def _counts(rows: Sequence[Mapping[str, str]], asked: int | None, model: str) -> Evidence:
    if not rows:
        raise InputError(f"{model}: no rows for this model")
    scenarios = [Scenario(row["split"], row["game"], row["context"]) for row in rows]
    named = [(row, f"{model}: {scenario}") for row, scenario in zip(rows, scenarios, strict=True)]
    cooperate = np.array([read_number(row, "cooperate", where) for row, where in named])
    defect = np.array([read_number(row, "defect", where) for row, where in named])
    other = None if asked is None else asked - cooperate - defect
    try:
        return Evidence.from_counts(scenarios, cooperate, defect, other)
    except InputError as error:
        raise InputError("\n".join(f"{model}: {line}" for line in str(error).splitlines())) from None


def _in_order(evidence: Evidence, teacher: Evidence) -> Evidence:
    """Return the evidence in the teacher's order; unchanged, for `Comparison` to refuse, where scenarios differ."""
    positions = {scenario: position for position, scenario in enumerate(evidence.scenarios)}
    if set(positions) != set(teacher.scenarios):
        return evidence
    return evidence.select(np.array([positions[scenario] for scenario in teacher.scenarios]))


def _floats(values: ArrayLike) -> Array:
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"expected numbers: {error}") from None


def _problem(value: float, kind: EvidenceKind) -> str | None:
    if not np.isfinite(value):
        return "must be a number"
    if kind == "exact":
        return None if 0 <= value <= 1 + TOLERANCE else "a probability must be between 0 and 1"
    if value < 0:
        return "a count must not be negative"
    return None if value == np.floor(value) else "a count must be whole"
