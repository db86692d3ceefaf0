"""The tables that claims stand on: the verdict on every split with floors and intervals, the parts of the distance."""

from collections.abc import Iterator
from typing import Any

from tomtransfer.measurement.assessments import Assessment
from tomtransfer.measurement.clusters import Measured
from tomtransfer.measurement.distances import FLOORS
from tomtransfer.measurement.findings import Findings
from tomtransfer.measurement.verdicts import criterion_rows, verdict_rows
from tomtransfer.report.typesetting import SPLIT, Column, Table, as_markdown

INTRODUCTION = """
# What may be said

Made from `measurement/verdicts.py`, where every rule stands once; a test on data made for it produces each verdict
(`tests/unit/measurement/test_verdicts.py`).

A verdict is the first whose rule holds. It is given of each split by itself and of the experiment: there, held out are
the other splits, and every split in the frames that are kept from training. Choices are taken in the four frames of a
pair of labels; in a single frame preferences and habits look the same, and no strategy is claimed. Intervals are for
other contexts and trainings (`docs/coverage.md`).
"""

VIEW = Column("view", "frames", "name")


def verdicts_table(findings: Findings) -> Table:
    """Return the verdict on every split in every view, with the gap closed, its floors and the invalid answers."""
    caption = (
        "What is shown of each split, and the numbers that it stands on. Distances are per scenario and frame, with "
        f"the noise of counted answers taken off; from and to are the ends of {100 * findings.settings.confidence:g} % "
        "intervals for other contexts and, where there are several, other trainings. Beyond a floor is what was closed "
        "more than by a policy that ignores the scenario. The rules of the verdicts are in docs/verdicts.md."
    )
    columns = (
        *(SPLIT, VIEW, Column("verdict", "verdict"), Column("scenarios", "scenarios", "whole")),
        *(Column("contexts", "contexts", "whole"), Column("trainings", "trainings", "whole")),
        *_ends("gap_closed", "gap closed"),
        *(Column(name, f"floor: {name.replace('_', ' ')}", "share") for name in FLOORS),
        *_ends("beyond_best_constant", "beyond best constant"),
        *_ends("beyond_own_mean", "beyond own mean"),
        *_ends("beyond_fair_coin", "beyond coin"),
        *_ends("of_frame_averages", "gap closed of frame averages"),
        *(Column("invalid_before", "invalid before", "share"), Column("invalid_after", "invalid after", "share")),
        *(*_ends("fewer_invalid", "fewer invalid"), Column("note", "note")),
    )
    rows = tuple(_verdict_row(each) for each in findings.assessments)
    return Table("verdicts", "What came across", caption, columns, rows)


def components_table(findings: Findings) -> Table:
    """Return the parts of the squared distance in log-odds before and after, and what was closed of each."""
    caption = (
        "The squared distance between student and teacher in log-odds, per scenario and frame, split into its parts "
        "over the four frames of a pair of labels. Preference is level (the mean) and pattern (how it differs between "
        "scenarios); habit is label, order and label x order. Shares are of the distance of all parts. Beyond a "
        "constant is what was closed more than by always cooperating at one rate with the teacher's level. Under "
        "teacher stands how large each part is in the teacher's own log-odds."
    )
    columns = (
        *(SPLIT, VIEW, Column("part", "part")),
        *(Column("in_teacher", "teacher", "number"), Column("before", "before", "number")),
        *(Column("after", "after", "number"), Column("share_before", "share before", "share")),
        Column("share_after", "share after", "share"),
        *(*_ends("closed", "closed"), Column("constant", "a constant closes", "share")),
        *(*_ends("beyond", "beyond a constant"), Column("note", "note")),
    )
    return Table("components", "Parts of the distance", caption, columns, tuple(_component_rows(findings)))


def arms_table(findings: Findings) -> Table:
    """Return what students of other arms closed of the gap and of its parts, and the tuned student beyond them."""
    caption = (
        "What students closed that were tuned on something else, and what the tuned student closed beyond them, with "
        f"{100 * findings.settings.confidence:g} % intervals. Shuffled: the teacher's answers moved between scenarios, "
        "a floor that has all but which scenario is which. Choices only: the same choices without reasons, so that "
        "what is closed beyond them is what the reasons add. Gap is the distance in rates, the others are parts of the "
        "squared distance in log-odds."
    )
    columns = (
        *(SPLIT, VIEW, Column("part", "part"), Column("arm", "arm", "name"), *_ends("closed", "closed by it")),
        *(Column("tuned", "closed by the tuned student", "share"), *_ends("beyond", "beyond it")),
        Column("note", "note"),
    )
    return Table("arms", "Beside other arms", caption, columns, tuple(_arm_rows(findings)))


def _arm_rows(findings: Findings) -> Iterator[dict[str, Any]]:
    for found in findings.assessments:
        parts = [
            ("gap", found.gap.closed, found.gap.arms),
            *((each.part, each.closed, each.arms) for each in found.components),
        ]
        for part, closed, arms in parts:
            for arm, beside in arms.items():
                yield {
                    **{"split": found.split, "view": found.view, "part": part, "arm": arm, "tuned": closed.value},
                    **_numbers("closed", beside.closed),
                    **_numbers("beyond", beside.beyond),
                    "note": beside.closed.note,
                }


def verdicts_page() -> str:
    """Return docs/verdicts.md: what may be said, in order of precedence, and the rules behind it."""
    verdicts = [[f"**{row['verdict']}**", row["rule"], row["sentence"]] for row in verdict_rows()]
    criteria = [list(row.values()) for row in criterion_rows()]
    return "\n\n".join(
        [
            INTRODUCTION.strip(),
            as_markdown(["verdict", "where", "sentence"], verdicts),
            "Rules speak of what is shown:",
            as_markdown(["is shown", "where"], criteria) + "\n",
        ]
    )


def _verdict_row(found: Assessment) -> dict[str, Any]:
    gap = found.gap
    return {
        **{name: getattr(found, name) for name in ("split", "view", "verdict", "scenarios", "contexts", "trainings")},
        **_numbers("gap_closed", gap.closed),
        **{name: floor.value for name, floor in gap.floors.items()},
        **{key: value for name, each in gap.beyond.items() for key, value in _numbers(f"beyond_{name}", each).items()},
        **_numbers("of_frame_averages", gap.closed_of_frame_averages),
        "invalid_before": found.format.before,
        "invalid_after": found.format.after,
        **_numbers("fewer_invalid", found.format.drop),
        "note": gap.closed.note,
    }


def _component_rows(findings: Findings) -> Iterator[dict[str, Any]]:
    for found in findings.assessments:
        for part in found.components:
            numbers = ("in_teacher", "before", "after", "share_before", "share_after")
            yield {
                **{"split": found.split, "view": found.view, "part": part.part},
                **{name: getattr(part, name) for name in numbers},
                **_numbers("closed", part.closed),
                "constant": part.constant.value,
                **_numbers("beyond", part.beyond),
                "note": part.closed.note,
            }


def _ends(key: str, title: str) -> tuple[Column, Column, Column]:
    """Return the columns of a number and of the ends of its interval."""
    return Column(key, title, "share"), Column(f"{key}_low", "from", "share"), Column(f"{key}_high", "to", "share")


def _numbers(key: str, found: Measured) -> dict[str, float | None]:
    return {key: found.value, f"{key}_low": found.low, f"{key}_high": found.high}
