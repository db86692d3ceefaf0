"""Every causal language model that transformers knows and that can be built tiny: right, or refused in one sentence."""

import pytest

from architectures import ARCHITECTURES
from beside_plain_passes import look_at

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_is_computed_is_what_plain_passes_make_or_refused(architecture, tmp_path):
    outcome = look_at(architecture, tmp_path / "tiny")
    if outcome.not_built:
        pytest.skip(f"no tiny model: {' '.join(outcome.not_built.split())}")
    assert not outcome.wrong, outcome.wrong
