"""What training did in one split, seen in one set of frames: the gap, its components, the format, and the verdict."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tomtransfer.measurement.answer_format import Format, format_change
from tomtransfer.measurement.clusters import Measured
from tomtransfer.measurement.components import Component, components
from tomtransfer.measurement.distances import Gap, OtherArm, gap
from tomtransfer.measurement.evidence import Comparison, Evidence
from tomtransfer.measurement.framed import Framed, frame_grid
from tomtransfer.measurement.verdicts import SplitNumbers, judge

NOTHING: Mapping[str, Sequence[Evidence]] = MappingProxyType({})

NO_OTHERS: Mapping[str, Sequence[Comparison]] = MappingProxyType({})

COUNTERBALANCED = "counterbalanced"
"""The view of the four frames of a pair of labels (`frames.views`)."""


TAUGHT = MappingProxyType(
    {"shuffled": "the answers of other scenarios", "choices_only": "the same choices without reasons"}
)
"""What the students of other arms are trained on."""


@dataclass(frozen=True)
class Assessment:
    """What training did in one split, in the frames of one view."""

    view: str
    split: str
    frames: tuple[str, ...]
    scenarios: int
    contexts: int
    trainings: int
    confidence: float
    gap: Gap
    components: tuple[Component, ...]
    """Of the distance in log-odds; none without the four frames of a pair of labels."""
    format: Format
    verdict: str
    """The name of the verdict on this split alone."""
    sentence: str
    """What the verdict says, and what else is shown."""

    @property
    def numbers(self) -> SplitNumbers:
        """What the rules of verdicts are about."""
        return SplitNumbers(self.gap, {each.part: each for each in self.components}, self.format)


def assess(
    trainings: Sequence[Comparison],
    view: str,
    frames: Sequence[str],
    crossed: bool = False,
    confidence: float = 0.95,
    drawn: Mapping[str, Sequence[Evidence]] = NOTHING,
    arms: Mapping[str, Sequence[Comparison]] = NO_OTHERS,
) -> list[Assessment]:
    """Return what training did in every split; `trainings` are comparisons of the same scenarios, one per training.

    `frames` are `crossed` where they are the four of a pair of labels in the order of `frames.designs`, in which each
    comparison has them. Shares of invalid answers are those of `drawn` answers of base and tuned student, after each
    training, where these are given: answers that begin with no label may choose later on. `arms` are the same
    comparisons with the students of other arms in the tuned one's place.
    """
    found = []
    for (split,), members in trainings[0].groups("split").items():
        own = [each.select(members) for each in trainings]
        teacher, base, tuned = _grids(own)
        invalid = _invalid(own, {role: [one.of_split(split) for one in each] for role, each in drawn.items()})
        others = {arm: _grids([one.select(members) for one in each])[2] for arm, each in arms.items()}
        models = (teacher, base, tuned, confidence, others)
        numbers = SplitNumbers(
            gap(*models),
            {each.part: each for each in components(*models)} if crossed else {},
            format_change(*invalid, confidence),
        )
        judgement = judge(numbers)
        found.append(
            Assessment(
                view=view,
                split=split,
                frames=tuple(frames),
                scenarios=len(members),
                contexts=tuned.contexts,
                trainings=tuned.trainings,
                confidence=confidence,
                gap=numbers.gap,
                components=tuple(numbers.components.values()),
                format=numbers.format,
                verdict=judgement.verdict.name,
                sentence=judgement.sentence,
            )
        )
    return found


def _grids(trainings: Sequence[Comparison]) -> tuple[Framed, Framed, Framed]:
    """Return teacher, base and tuned student; teacher and base are the same in all trainings."""
    first, among = trainings[0], trainings[0].among
    teacher, base = (frame_grid([[each.models[role] for each in first.frames]], among) for role in ("teacher", "base"))
    return teacher, base, frame_grid([[each.tuned for each in one.frames] for one in trainings], among)


def _invalid(trainings: Sequence[Comparison], drawn: Mapping[str, Sequence[Evidence]]) -> tuple[Framed, Framed]:
    """Return the shares of invalid answers of base and tuned student."""
    if drawn:
        before, after = (frame_grid([[each] for each in drawn[role]], "invalid answers") for role in ("base", "tuned"))
        return before, after
    base = frame_grid([[each.base for each in trainings[0].frames]], "invalid answers")
    return base, frame_grid([[each.tuned for each in one.frames] for one in trainings], "invalid answers")


def headline(found: Assessment) -> str:
    """Return the verdict on a split in words, with the numbers that it stands on."""
    frames = f" in {len(found.frames)} frames" if len(found.frames) > 1 else ""
    trainings = f", {found.trainings} trainings" if found.trainings > 1 else ""
    subject = f"{found.split} ({_plural(found.scenarios, 'scenario')}{frames}{trainings}): {found.sentence}"
    if found.gap.no_gap:
        return f"{subject} No share of the gap is given: {found.gap.no_gap}."
    best, beyond = found.gap.floors["best_constant"], found.gap.beyond["best_constant"]
    noisy = found.gap.closed_with_noise
    left_in = "" if noisy is None else f", {_percent(noisy)} with the noise of counted answers left in"
    parts = [
        f"{subject} It closed {_percent(found.gap.closed.value)}{_between(found.gap.closed, found.confidence)} of the "
        f"gap to the teacher{left_in}",
        f"the best policy that ignores the scenario closes {_percent(best.value)}, and the difference is "
        f"{_points(beyond.value)} points{_between(beyond, found.confidence)}",
    ]
    parts += [_beside(arm, each, found.confidence) for arm, each in found.gap.arms.items()]
    parts += [_component(each, found.confidence) for each in found.components if each.part in {"pattern", "habit"}]
    return "; ".join(parts) + "."


def closed_otherwise(found: Assessment) -> str:
    """Return what would have been closed if exact choices had been measured, of an assessment of these."""
    if found.gap.no_gap:
        return f"With exact choices no share of the gap would be given: {found.gap.no_gap}."
    between = _between(found.gap.closed, found.confidence)
    return f"With exact choices it would have closed {_percent(found.gap.closed.value)}{between}."


def main_view(views: Iterable[str]) -> str:
    """Return the view that an experiment is judged in: counterbalanced, where labels and order are, else the first."""
    first, *others = views
    return COUNTERBALANCED if COUNTERBALANCED in others else first


def experiment_verdict(assessed: Mapping[str, Sequence[Assessment]], trained_split: str) -> str:
    """Return what an experiment shows in words: what was taken over in the trained split, and where else it is shown.

    `assessed` is by view, that of the scored frame first. Held out are the other splits in the frames of `main_view`,
    and the trained split in frames that were kept from training.
    """
    main = main_view(assessed)
    by_split = {each.split: each for each in assessed[main]}
    if trained_split not in by_split:
        return f"Nothing is said of {trained_split}: in none of its scenarios did all models give a valid answer."
    held_out = {split: each for split, each in by_split.items() if split != trained_split}
    for view in list(assessed)[1:]:
        if view != main:
            held_out |= {f"{each.split} in {view}": each for each in assessed[view]}
    judgement = judge(by_split[trained_split].numbers, {name: each.numbers for name, each in held_out.items()})
    verdicts = "; ".join(f"{name}: {each.verdict}" for name, each in held_out.items())
    return f"{judgement.sentence} Held out, {verdicts}." if verdicts else judgement.sentence


def _beside(arm: str, found: OtherArm, confidence: float) -> str:
    """Return what a student of another arm closed, and the difference."""
    return (
        f"a student tuned on {TAUGHT[arm]} closes {_percent(found.closed.value)}{_between(found.closed, confidence)}, "
        f"and the difference is {_points(found.beyond.value)} points{_between(found.beyond, confidence)}"
    )


def _component(found: Component, confidence: float) -> str:
    name = {"pattern": "the pattern of preferences", "habit": "habits"}[found.part]
    if found.closed.value is None:
        return f"of {name} no share is given ({found.closed.note})"
    share = "" if found.share_before is None else f", {_percent(found.share_before)} of the squared distance before,"
    return f"of {name}{share} it closed {_percent(found.closed.value)}{_between(found.closed, confidence)}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:z.1f} %"


def _points(difference: float | None) -> str:
    return "-" if difference is None else f"{100 * difference:+z.1f}"


def _between(found: Measured, confidence: float) -> str:
    if found.low is None or found.high is None:
        return f" ({found.note})" if found.note else ""
    return f" ({100 * confidence:g} % interval {100 * found.low:z.1f} to {100 * found.high:z.1f})"


def _plural(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
