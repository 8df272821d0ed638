"""The comparisons that HubSpot's search knows."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tests.contracts.hubspot_objects import tokens


def _has_token(value: str | None, wanted: str) -> bool:
    ending = wanted.lower().lstrip("*")
    return any(
        token.endswith(ending) if wanted.startswith("*") else token == ending
        for token in tokens(value or "")
    )


def _moment(value: str) -> float:
    return float(value) / 1000 if value.isdigit() else datetime.fromisoformat(value).timestamp()


OPERATORS: Mapping[str, Callable[[str | None, dict[str, Any]], bool]] = {
    "EQ": lambda value, it: value == it["value"],
    "CONTAINS_TOKEN": lambda value, it: _has_token(value, it["value"]),
    "BETWEEN": lambda value, it: (
        bool(value) and _moment(it["value"]) <= _moment(str(value)) <= _moment(it["highValue"])
    ),
}
