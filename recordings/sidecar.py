"""The sidecar: a recording's facts as a small JSON object beside its audio in the storage.

A worker killed after the spool was emptied, but before its database heard of it, gets the figures
back from there instead of losing them; and a storage can be understood without any database.
"""

import json
from dataclasses import asdict, fields
from typing import Any

from recordings.recording import AudioWarning, Recording, Side, Span

_SCHEMA = 1


def write_sidecar(recording: Recording) -> bytes:
    """The sidecar of a recording, as JSON."""
    # not asdict: it copies peaks
    facts = {field.name: getattr(recording, field.name) for field in fields(recording)}
    facts |= {"caller": asdict(recording.caller), "company": asdict(recording.company)}
    return json.dumps({"schema": _SCHEMA, **facts}, separators=(",", ":")).encode()


def read_sidecar(sidecar: bytes) -> Recording:
    """Read what `write_sidecar` wrote. Raises ValueError for anything else."""
    try:
        facts: dict[str, Any] = json.loads(sidecar)
        if facts.pop("schema") != _SCHEMA:
            raise ValueError("a label of another version")
        caller, company = facts.pop("peaks")
        return Recording(
            caller=Side(**facts.pop("caller")),
            company=Side(**facts.pop("company")),
            peaks=(tuple(caller), tuple(company)),
            warnings=tuple(AudioWarning(warning) for warning in facts.pop("warnings")),
            silences=_spans(facts.pop("silences", None)),
            talk_overs=_spans(facts.pop("talk_overs", None)),
            **facts,
        )
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("not the label of a recording") from error


def _spans(listed: list[list[float]] | None) -> tuple[Span, ...] | None:
    return None if listed is None else tuple((begin, end) for begin, end in listed)
