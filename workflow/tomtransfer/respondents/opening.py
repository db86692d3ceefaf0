"""Opening a respondent: from what the registry says of it to an object that answers."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tomtransfer.experiment.validation import InputError
from tomtransfer.models.integrity import SOURCE
from tomtransfer.models.recordings import kept_tables
from tomtransfer.models.registry import Endpoint, Planted, Recorded, Source, identifying, parse_source
from tomtransfer.respondents.local_model import LocalModel
from tomtransfer.respondents.planted import PlantedRespondent
from tomtransfer.respondents.protocol import Respondent
from tomtransfer.respondents.recorded import RecordedRespondent
from tomtransfer.respondents.served import ServedRespondent

NO_REGISTRY: Mapping[str, Source] = MappingProxyType({})


def open_respondent(directory: Path, registry: Mapping[str, Source] = NO_REGISTRY, **settings: Any) -> Respondent:
    """Return the respondent whose source stands in `directory`; `settings` are those of `LocalModel`.

    One behind a server is asked where and how the `registry` says now: its folder says what identifies its answers,
    which another address or more requests at once do not change. Raises InputError when the source cannot be read.
    """
    source = _source(directory)
    now = registry.get(directory.name)
    if isinstance(source, Endpoint) and isinstance(now, Endpoint) and identifying(now) == identifying(source):
        source = now
    return respondent_from(source, directory, **settings)


def respondent_from(source: Source | None, directory: Path, **settings: Any) -> Respondent:
    """Return the respondent of a `source` that is kept in `directory`; None is a model that was put there by hand."""
    model = LocalModel(directory=directory, **settings)
    match source:
        case Planted() as policy:
            return PlantedRespondent(policy, model.identity)
        case Recorded() as record:
            return RecordedRespondent(record, kept_tables(record.tables, directory), model.identity)
        case Endpoint() as source:
            return ServedRespondent(source, model.identity, model.chat, model.examinations)
        case _:
            return model


def _source(directory: Path) -> Source | None:
    """Return the registry entry that a folder was made from, or None for a model that was put there by hand."""
    path = directory / SOURCE
    if not path.exists():
        return None
    try:
        return parse_source(directory.name, json.loads(path.read_text(encoding="utf-8"))["source"], path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: cannot be read: {error}; delete it to have it made again") from error
