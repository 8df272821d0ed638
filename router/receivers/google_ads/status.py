"""Results of a request to Google's Data Manager: used, counted before, later or never.

A request fails as a whole, or some of its records do. Google gives the reasons, the number of
records for each, and since version 1.9 their places in the request.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from router.domain.delivery.analytics_codes import GoogleAdsCode
from router.domain.delivery.delivery import Result, Use
from router.domain.delivery.outcome import Outcome
from router.domain.text import one_line
from router.receivers.json_body import member, objects, sequence

_PREFIX = "PROCESSING_ERROR_REASON_"
_COUNTED = frozenset({"DUPLICATE_TRANSACTION_ID", "DUPLICATE_GCLID"})
_LATER = frozenset({"TOO_RECENT_CLICK", "CLICK_NOT_FOUND", "INTERNAL_ERROR"})
_WORKS = frozenset({"PROCESSING", "REQUEST_STATUS_UNKNOWN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why some records were not used; `places` is empty if Google does not name them."""

    name: str
    count: int
    places: frozenset[int]

    @property
    def use(self) -> Use:
        """What this reason means for a record."""
        if self.name in _COUNTED:
            return Use.COUNTED_BEFORE
        if self.name in _LATER:
            return Use.LATER
        return Use.NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The result of a request for one conversion action."""

    name: str
    reasons: tuple[Reason, ...]

    @property
    def works(self) -> bool:
        """Whether Google is still processing the request."""
        return self.name in _WORKS

    def result(self, place: int | None) -> Result:
        """The result of the record at this place."""
        named = [reason for reason in self.reasons if place in reason.places]
        unnamed = [reason for reason in self.reasons if place is None or not reason.places]
        if named:
            return _result(named)
        if self.name == "FAILED":
            return _result(unnamed or self.reasons)
        if self.name == "PARTIAL_SUCCESS" and unnamed:
            return _some_of_them(unnamed)
        return Result(use=Use.USED, outcome=Outcome.of(GoogleAdsCode.GOOGLE_USED))


def _result(reasons: Sequence[Reason]) -> Result:
    """The result of a record with one of these reasons. If any of them may pass, the record is
    sent again; it counts once.
    """
    uses = {reason.use for reason in reasons}
    names = [reason.name for reason in reasons]
    if not names:
        return Result(use=Use.NEVER, outcome=Outcome.of(GoogleAdsCode.GOOGLE_NO_REASON))
    if uses == {Use.COUNTED_BEFORE}:
        use, code = Use.COUNTED_BEFORE, GoogleAdsCode.GOOGLE_COUNTED_BEFORE
    elif Use.LATER in uses:
        use, code = Use.LATER, GoogleAdsCode.GOOGLE_LATER
    else:
        use, code = Use.NEVER, GoogleAdsCode.GOOGLE_NEVER
    return Result(use=use, outcome=Outcome.of(code, detail=names))


def _some_of_them(reasons: Sequence[Reason]) -> Result:
    """The result of a record that may be among the unused ones, which Google does not name."""
    said = [f"{reason.name} ({reason.count})" for reason in reasons]
    if any(reason.use is Use.LATER for reason in reasons):
        later = Outcome.of(GoogleAdsCode.GOOGLE_SOME_LATER, detail=said)
        return Result(use=Use.LATER, outcome=later)
    return Result(use=Use.USED, outcome=Outcome.of(GoogleAdsCode.GOOGLE_SOME_UNUSED, detail=said))


def by_action(body: Any) -> dict[str, Status]:
    """The statuses of a request, by their conversion actions."""
    rows = objects(member(body, "requestStatusPerDestination"))
    return {_action(row): _status(row) for row in rows}


def _action(row: dict[str, Any]) -> str:
    return str(member(member(row, "destination"), "productDestinationId"))


def _status(row: dict[str, Any]) -> Status:
    counts = member(member(row, "errorInfo"), "errorCounts")
    reasons = tuple(filter(None, map(_reason, sequence(counts))))
    return Status(name=str(member(row, "requestStatus")), reasons=reasons)


def _reason(count: Any) -> Reason | None:
    name = member(count, "reason")
    if not isinstance(name, str):
        return None
    places = member(count, "recordIndices")
    read = [_number(place) for place in sequence(places)]
    return Reason(
        name=one_line(name.removeprefix(_PREFIX)),
        count=_number(member(count, "recordCount")) or 0,
        places=frozenset(place for place in read if place is not None),
    )


def _number(value: Any) -> int | None:
    """A number in Google's JSON, where large numbers are texts."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 10:
        return int(value)
    if type(value) is int:
        return value
    return None
