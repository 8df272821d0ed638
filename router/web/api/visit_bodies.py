"""Messages of the page's script, and the answers. Pages contain foreign data (links, cookies,
analytics): invalid values are cut or left out, so that a broken link never costs a visitor their
number; only what the script would never send is refused.
"""

import re
from typing import Annotated, Any, TypeVar

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from router.domain.visitors.sources import CLICK_IDS
from router.domain.visitors.url import clean
from router.domain.visitors.visit import DisplayLevel
from router.service.visitors.identities import Ids
from router.web.api.models.base import Answer

LARGEST = 64 << 10  # bytes
MOST_POOLS, MOST_LEASES, MOST_PARAMETERS = 50, 50, 20
LONGEST_NAME = 40  # of a parameter

_IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Half a letter: browsers write it where a text was cut inside a pair, parsers take it for no JSON.
_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
Sent = TypeVar("Sent", bound="AnalyticsEvent")


class AnalyticsEvent(BaseModel):
    """A message of a page; unknown fields are ignored."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Identified(AnalyticsEvent):
    """Analytics identifiers; invalid ones are left out."""

    ga_client_id: str | None = None
    """Google Analytics client ID."""

    ga_session_id: str | None = None
    """Google Analytics session ID."""

    ym_client_id: str | None = None
    """Yandex.Metrica ClientID."""

    click_ids: dict[str, Any] = {}
    """Click IDs by their names (`gclid`, `yclid`, …)."""

    def ids(self) -> Ids:
        """The valid ones."""
        return Ids(
            ga_client_id=identifier(self.ga_client_id),
            ga_session_id=identifier(self.ga_session_id),
            ym_client_id=identifier(self.ym_client_id),
            click_ids=kept_clicks(self.click_ids) if self.click_ids else {},
        )


class VisitBody(Identified):
    """A page was opened."""

    visitor_id: str | None = None
    """`visitor_id` of an earlier answer, for browsers that send no cookie."""

    url: str = ""
    """Address of the page."""

    referrer: str | None = None
    """Address of the page that led there."""

    parameters: dict[str, str | int | float | bool | None] = {}
    """What the site's own page says of the visit."""

    pools: list[str] = []
    """Pools whose numbers are wanted now."""

    consent: bool = False
    """Whether the visitor has consented."""

    withdrawn: bool = False
    """Whether the visitor has refused, or has withdrawn consent: the cookie is removed."""

    keeps_nothing: bool = False
    """Whether the browser keeps neither cookies nor storage."""

    def kept_parameters(self) -> dict[str, str]:
        """The first parameters with name and value, cut."""
        pairs = list(self.parameters.items())[:MOST_PARAMETERS]
        cut = {}
        for name, value in pairs:
            if value is not None:
                cut[clean(name, LONGEST_NAME)] = clean(str(value))

        return {name: value for name, value in cut.items() if name and value}


class PoolsBody(Identified):
    """A page asks for numbers later."""

    pools: list[str] = []
    """Pools whose numbers are wanted now."""


class AliveBody(Identified):
    """A heartbeat."""

    path: str | None = None
    """Path of the page."""

    leases: list[str] = []
    """Leases whose numbers are on the page."""

    unchanged: str | None = None
    """Path of a page on which a company number could not be replaced."""


class LeftBody(Identified):
    """The page was left."""

    leases: list[str] = []
    """Leases whose numbers were on the page."""


class Keyed(Identified):
    """An event of a visit."""

    key: str | None = None
    """Names the event: a request that comes again with its key is counted once."""


class TapBody(Keyed):
    """A number was tapped."""

    number: Annotated[str, Field(min_length=1, max_length=80)]
    """The number."""


class FormBody(Keyed):
    """A phone number was left in a form."""

    phone: Annotated[str, Field(min_length=1, max_length=80)]
    """The phone number in any spelling of the site's country."""


class Parts(Answer):
    """A number in its parts, digits alone, from which its spellings are made."""

    country: str
    """Country code."""

    leads: tuple[str, ...]
    """What may be dialled before the national number inside the country."""

    national: str
    """National number."""

    old: tuple[str, ...]
    """Old spellings, which are replaced whole."""


class ShownNumber(Answer):
    """The number for a pool; without a number the company number stays."""

    lease_id: str | None
    """The lease, to name in heartbeats."""

    number: str | None
    """The number (E.164), for the link."""

    display: str | None
    """The number as people read it."""

    parts: Parts | None
    """How it may be spelled."""

    level: DisplayLevel
    """Display level: `dynamic`: the visitor's own number · `static`: the number of their source ·
    `own`: the company number."""


class Numbers(Answer):
    """Numbers by pool."""

    numbers: dict[str, ShownNumber]
    """What to show, by the pool's key."""


class Opened(Numbers):
    """A visit with its numbers, or only numbers."""

    visitor_id: str | None
    """The visitor, to send with the next visit; null: nothing was stored."""

    visit_id: str | None
    """The visit: the key of all further messages."""

    code: str | None
    """The visit's promo code."""

    mail: str | None
    """The visitor's own mail address of the company."""

    alive_seconds: int
    """Seconds between two heartbeats."""

    hold_seconds: int
    """Seconds without an answer after which the page shows the company number again."""


async def read_body(request: Request, kind: type[Sent]) -> Sent:
    """Parse the body, whatever its content type. Raises 413, and 422 for what is none of our
    scripts'.
    """
    raw = await request.body()
    if len(raw) > LARGEST:
        raise HTTPException(413, f"A request here has at most {LARGEST >> 10} kB.")
    try:
        return kind.model_validate_json(_LONE_SURROGATE.sub(rb"\\ufffd", raw) or b"{}")
    except ValidationError as error:
        raise RequestValidationError(
            error.errors(include_url=False, include_context=False)
        ) from error


def kept_clicks(parameters: dict[str, Any]) -> dict[str, str]:
    """Click IDs of known advertising systems, cut."""
    texts = {}
    for name in CLICK_IDS:
        if isinstance(value := parameters.get(name), str):
            texts[name] = clean(value)

    return {name: value for name, value in texts.items() if value}


def identifier(text: str | None) -> str | None:
    """The text, if it is a valid identifier."""
    if text and _IDENTIFIER.fullmatch(text):
        return text
    return None


def identifiers(texts: list[str], most: int) -> list[str]:
    """The first valid identifiers."""
    return [text for text in texts[:most] if _IDENTIFIER.fullmatch(text)]
