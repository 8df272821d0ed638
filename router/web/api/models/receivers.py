"""Webhooks and connections: whom calls are sent to."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, HttpUrl, StrictBool

from router.domain.delivery.connection import Connection as ConnectionRecord
from router.domain.delivery.connection import (
    Missed,
    Mode,
    Overwrite,
    Repeat,
    Scenario,
)
from router.domain.delivery.delivery import Webhook as WebhookRecord
from router.domain.delivery.delivery import shown
from router.domain.delivery.entity import EntityKind
from router.domain.delivery.receiver_kind import origin
from router.domain.delivery.templates import Part
from router.domain.language import Language
from router.web.api.models.base import Answer, Body, Key


class Webhook(Answer):
    """An address that calls are posted to; its secret is shown by the command alone."""

    id: str
    """The webhook's key."""

    url: str
    """The address, without a password."""

    site_id: str | None
    """The site whose calls are sent; null: those of every site."""

    active: bool
    """Whether calls are sent."""

    created_at: datetime
    """When it was added (UTC)."""

    @classmethod
    def of(cls, value: object) -> Self:
        """The same, without a password that an older version took."""
        assert isinstance(value, WebhookRecord)
        return cls.model_validate(shown(value))


def _without_password(url: HttpUrl) -> HttpUrl:
    if url.username or url.password:
        keeps = "`ringtrace webhook change KEY --user NAME` keeps one"
        raise ValueError(f"a password in an address can be read by others: {keeps}")
    return url


class WebhookBody(Body):
    """What can be changed of a webhook."""

    url: Annotated[HttpUrl, Field(max_length=2000), AfterValidator(_without_password)]
    """The address, without a password."""

    site_id: Key | None = None
    """The site whose calls are sent; null: those of every site."""

    active: StrictBool = True
    """Whether calls are sent."""

    def fields(self) -> dict[str, Any]:
        """The fields, the address as text."""
        return {**super().fields(), "url": str(self.url)}


class NewWebhook(WebhookBody):
    """A webhook to add."""

    id: Key
    """The webhook's key, which cannot be changed."""

    def make(self, now: datetime) -> WebhookRecord:
        """The webhook."""
        return WebhookRecord(**self.fields(), created_at=now)


class Rules(Answer):
    """How calls become records of a CRM. Durations are seconds."""

    scenario: Scenario
    """Mode `own`: what a new caller becomes."""

    repeat: Repeat
    """Mode `own`: what a call becomes while a deal of its caller is open."""

    missed: Missed
    """Mode `own`: what a call becomes that was not answered."""

    shortest_talk: float
    """Mode `own`: an answered call shorter than this many seconds counts as spam."""

    ignored: tuple[str, ...]
    """Mode `own`: callers (E.164) whose calls are not sent."""

    responsible: Mapping[str, str]
    """Mode `own`: phone or destination → the CRM's user."""

    targets: tuple[EntityKind, ...]
    """Mode `telephony`: kinds of records that get the client ID, the preferred one first."""

    before: float
    """Mode `telephony`: accept records created up to this many seconds before the call."""

    settle: float
    """Mode `telephony`: seconds after the call's end before anything is decided."""

    prefer: float
    """Mode `telephony`: seconds after the call's end to wait for the first of `targets`."""

    wait: float
    """Mode `telephony`: seconds after the call's end until the delivery needs review."""

    overwrite: Overwrite
    """Mode `telephony`: what happens to a client ID that is there already."""

    fields: Mapping[str, str]
    """Fact → the CRM's own field."""

    defaults: Mapping[str, str]
    """Required field of the CRM → its text in new records."""

    templates: Mapping[Part, str]
    """Text that is written into the CRM → its template, where it is not the default one."""

    language: Language | None
    """Language of what is written into the CRM; null: that of the call's site."""

    task: bool
    """Whether each missed call makes a task in the CRM."""

    task_user: str | None
    """The CRM user who gets the task if the caller is unknown."""

    recordings: bool
    """Mode `own`: whether recordings go into the CRM's list of calls, as a link."""

    recording_days: float
    """Days for which the link to a recording works."""


class Connection(Answer):
    """A connected account; of its address the server alone, for some have keys in their paths."""

    id: str
    """The connection's key."""

    kind: str
    """The service, e.g. `amocrm`."""

    address: str | None
    """Origin of the account's address; null: it is no web address."""

    site_id: str | None
    """The site whose calls are sent; null: those of every site."""

    mode: Mode
    """Of a CRM: who creates records."""

    rules: Rules
    """How calls become records."""

    options: Mapping[str, str]
    """Settings of this service alone, e.g. a pipeline."""

    active: bool
    """Whether calls are sent."""

    created_at: datetime
    """When it was connected (UTC)."""

    @classmethod
    def of(cls, value: object) -> Self:
        """What of a connection is no secret."""
        assert isinstance(value, ConnectionRecord)
        address = origin(value.address)
        return cls.model_validate(replace(value, address=address or "")).model_copy(
            update={"address": address}
        )
