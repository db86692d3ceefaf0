"""Progress: what is done of the part that is being done, and of all."""

import logging

import pytest

from tomtransfer.experiment import progress
from tomtransfer.experiment.progress import Progress, each_part


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets by hand, in seconds."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_time_left_is_that_of_the_rest(clock, caplog):
    caplog.set_level(logging.INFO)
    report = Progress("prompts", 10)
    clock[0] = 30.0
    report.advance(2, "loss 0.5")
    assert caplog.messages == ["2 of 10 prompts, 0:30 elapsed, 2:00 left, loss 0.5"]


def test_within_a_part_time_left_is_that_of_all_parts(clock, caplog):
    caplog.set_level(logging.INFO)
    for number, _ in enumerate(each_part("rows", [range(4), range(4), range(2)])):
        report = Progress("prompts", 2)
        clock[0] += 20.0
        if number == 1:
            report.advance()
    assert caplog.messages == ["1 of 2 prompts, 6 of 10 rows, 0:40 elapsed, 0:27 left"]


def test_a_single_part_is_all_and_nothing_is_left_of_it_afterwards(clock, caplog):
    caplog.set_level(logging.INFO)
    for parts in ([range(4)], [range(4), range(4)]):
        with pytest.raises(KeyboardInterrupt):
            for _ in each_part("rows", parts):
                if len(parts) > 1:
                    raise KeyboardInterrupt
                clock[0] += 60.0
                Progress("prompts", 1).advance()
                raise KeyboardInterrupt
    Progress("prompts", 1).advance()
    assert caplog.messages == ["1 of 1 prompts, 0:00 elapsed, 0:00 left"] * 2
