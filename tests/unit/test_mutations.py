"""Random mistakes in what people write are refused with a message, or planned: never a traceback."""

import pytest

from mutations import outcomes

REFUSED_OR_PLANNED = {"refused", "planned"}


def test_mutations_are_refused_or_planned():
    found = outcomes(range(200))
    assert found.keys() == REFUSED_OR_PLANNED, found


@pytest.mark.slow
@pytest.mark.exhaustive
def test_two_thousand_mutations_are_refused_or_planned():
    found = outcomes(range(200, 2200))
    print(found)
    assert found.keys() == REFUSED_OR_PLANNED, found
