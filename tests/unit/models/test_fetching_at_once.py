"""Experiments that share models fetch one at the same time: it is made once, and whole for both."""

import logging
from concurrent.futures import ThreadPoolExecutor

from tomtransfer.models.fetching import fetch
from tomtransfer.models.integrity import verify
from tomtransfer.models.registry import Random


def test_of_two_fetches_at_once_the_second_waits_and_finds_the_model(tmp_path, caplog):
    caplog.set_level(logging.INFO, logger="tomtransfer")
    source = Random(source="random", description="tiny")
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(lambda _: fetch("tiny", source, tmp_path / "tiny"), range(2)))
    said = [record.getMessage() for record in caplog.records]
    assert len([each for each in said if "complete in" in each]) == 1
    assert len([each for each in said if "already in" in each]) == 1
    verify(tmp_path / "tiny")
