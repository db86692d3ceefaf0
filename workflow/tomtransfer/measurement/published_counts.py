"""The published result to compare with: Lorè, Ilami and Heydari (2024), arXiv 2408.05241, from its counts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.evidence import COUNTED_MODELS, Comparison, read_counts, read_csv, read_number
from tomtransfer.measurement.measures import Array, gap_closed, improvement

ASKED = 300
"""How often every model was asked in every scenario."""

ENDOWMENT = 10
"""The dollars a player of the donation game may give from."""


@dataclass(frozen=True)
class Donation:
    """Mean gifts in the public-goods game, in dollars out of 10, of teacher, base student and tuned student."""

    teacher: float
    base: float
    tuned: float

    @property
    def improvement(self) -> float:
        """The paper's improvement of the one scenario, a fraction of 1; nan where base equals teacher."""
        return float(improvement(*self._gifts()))

    @property
    def gap_closed(self) -> float:
        """The gap closed in the one scenario, a fraction of 1; nan where base equals teacher."""
        return float(gap_closed(*self._gifts()))

    def _gifts(self) -> tuple[Array, Array, Array]:
        return np.array([self.teacher]), np.array([self.base]), np.array([self.tuned])


def read_published(folder: Path) -> Comparison:
    """Return the published counts in `folder`, lore2024_counts.csv.

    Rates are shares of the 300 answers asked for, as in the paper, whose three scenarios with fewer answers than that
    divide by 300 all the same: the answers that are missing count as other. Raises InputError as `read_counts` does.
    """
    return read_counts(folder / "lore2024_counts.csv", asked=ASKED, among="all answers")


def read_donation(folder: Path) -> Donation:
    """Return the published mean gifts in `folder`, lore2024_donation.csv with columns model and mean_gift.

    Raises InputError for a missing or repeated model and for gifts that are not between 0 and 10.
    """
    path = folder / "lore2024_donation.csv"
    rows = read_csv(path, ["model", "mean_gift"])
    if sorted(row["model"] for row in rows) != sorted(COUNTED_MODELS.values()):
        raise InputError(f"{path}: model: expected one row for each of {', '.join(COUNTED_MODELS.values())}")
    gifts = {row["model"]: read_number(row, "mean_gift", f"{path}: {row['model']}") for row in rows}
    for model, gift in gifts.items():
        if not 0 <= gift <= ENDOWMENT:
            raise InputError(f"{path}: {model}: mean_gift: must be between 0 and {ENDOWMENT} dollars (got {gift:g})")
    return Donation(**{role: gifts[name] for role, name in COUNTED_MODELS.items()})
