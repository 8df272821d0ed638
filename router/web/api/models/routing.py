"""Tracking numbers, and the destinations that their calls go to."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, StrictBool, StrictInt

from router.domain.phone import parse_number
from router.domain.visitors.site import Destination as DestinationRecord
from router.domain.visitors.site import NumberKind
from router.domain.visitors.site import Step as StepRecord
from router.domain.visitors.site import TrackingNumber as NumberRecord
from router.web.api.models.base import Answer, Body, Key, Name, Spelling, Word


class Step(Answer):
    """One attempt to reach people."""

    dial: str
    """`PJSIP/endpoint`, `PJSIP/number@trunk` or `Local/extension@context`; those joined by `&`
    ring together."""

    ring_seconds: int
    """How long it rings, in seconds."""


class StepBody(Body):
    """One attempt to reach people."""

    dial: Annotated[str, Field(max_length=2000)]
    """`PJSIP/endpoint`, `PJSIP/number@trunk` or `Local/extension@context`; those joined by `&`
    ring together."""

    ring_seconds: StrictInt = 30
    """How long it rings, in seconds."""


class Destination(Answer):
    """Where calls go: steps, each tried when the one before cannot be reached."""

    id: str
    """The destination's key."""

    name: str
    """Its name."""

    steps: tuple[Step, ...]
    """The steps in their order."""

    send_client_id: bool
    """Whether the phone gets the client ID in the header `X-Google-Client-ID`."""

    send_source: bool
    """Whether the phone shows the visit's source in front of the caller's name."""

    dtmf_transfer: bool
    """Whether `##` and `*2` on the company's phone transfer the call."""

    created_at: datetime
    """When it was added (UTC)."""


class DestinationBody(Body):
    """What can be changed of a destination."""

    name: Name
    """Its name."""

    steps: Annotated[tuple[StepBody, ...], Field(max_length=8)]
    """The steps in their order."""

    send_client_id: StrictBool = False
    """Whether the phone gets the client ID in the header `X-Google-Client-ID`."""

    send_source: StrictBool = False
    """Whether the phone shows the visit's source in front of the caller's name."""

    dtmf_transfer: StrictBool = False
    """Whether `##` and `*2` on the company's phone transfer the call."""

    def fields(self) -> dict[str, Any]:
        """The fields, steps as the domain has them. Raises `InvalidInput`."""
        steps = tuple(StepRecord(**step.fields()) for step in self.steps)
        return {**super().fields(), "steps": steps}


class NewDestination(DestinationBody):
    """A destination to add."""

    id: Key
    """The destination's key, which cannot be changed."""

    def make(self, now: datetime) -> DestinationRecord:
        """The destination. Raises `InvalidInput`."""
        return DestinationRecord(**self.fields(), created_at=now)


class TrackingNumber(Answer):
    """A number of ours that is shown to people."""

    e164: str
    """The number (E.164)."""

    site_id: str
    """The site that shows it."""

    kind: NumberKind
    """Shown to everyone of a channel, or leased to one visitor at a time."""

    pool_id: str | None
    """The pool of a dynamic number."""

    destination_id: str | None
    """Where a static number's calls go; null: the site's destination."""

    channel: str | None
    """Channel of a static number, e.g. `billboard`."""

    unattributed_calls: int
    """Calls of the last 90 days that no lease explains."""

    free_at: datetime
    """When its last lease ends or ended (UTC)."""

    created_at: datetime
    """When it was added (UTC)."""


class NumberBody(Body):
    """What can be changed of a tracking number."""

    kind: NumberKind
    """Shown to everyone of a channel, or leased to one visitor at a time."""

    pool_id: Key | None = None
    """The pool of a dynamic number."""

    destination_id: Key | None = None
    """Where a static number's calls go; null: the site's destination."""

    channel: Word | None = None
    """Channel of a static number, e.g. `billboard`."""


class NewNumber(NumberBody):
    """A tracking number to add."""

    e164: Spelling
    """The number in any spelling of the site's country."""

    site_id: Key
    """The site that shows it."""

    def make(self, now: datetime, region: str) -> NumberRecord:
        """The number, idle from now on. Raises `InvalidInput`."""
        fields = self.fields() | {"e164": parse_number(self.e164, region)}
        return NumberRecord(**fields, free_at=now, created_at=now)


class BadLine(Answer):
    """A line of a CSV file that cannot be taken."""

    line: int
    """Its number, from 1."""

    text: str
    """What is in it."""

    reason: str
    """Why it cannot be taken."""


class Import(Answer):
    """What an import took and what it did not."""

    added: tuple[TrackingNumber, ...]
    """The numbers that were added."""

    bad: tuple[BadLine, ...]
    """The lines that cannot be taken."""
