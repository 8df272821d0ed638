"""What the script on a page sends of its visitor, and what it is told.

A page is full of what others wrote: links, cookies, analytics. Whatever of it cannot be kept is cut
or left out, so that a broken link never costs a visitor their number; only what no script of ours
would send is refused.
"""

import re
from typing import Annotated, Any, TypeVar

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError

from router.domain.page_spelling import Parts
from router.domain.visitors.sources import CLICK_IDS
from router.domain.visitors.url import clean
from router.domain.visitors.visit import DisplayLevel
from router.service.visitors.identities import Ids

LARGEST = 64 << 10  # bytes
MOST_POOLS, MOST_LEASES, MOST_PARAMETERS = 50, 50, 20
LONGEST_NAME = 40  # of a parameter

_IDENTIFIER = re.compile(r"[A-Za-z0-9._-]{1,64}")
Sent = TypeVar("Sent", bound="Told")


class Told(BaseModel):
    """What a page tells; a newer script's fields are passed over."""


class Identified(Told):
    """What analytics on the page calls the visitor; what is no identifier is left out."""

    ga_client_id: str | None = None
    ga_session_id: str | None = None
    ym_client_id: str | None = None
    click_ids: dict[str, Any] = {}

    def ids(self) -> Ids:
        """Those that can be kept."""
        return Ids(
            ga_client_id=identifier(self.ga_client_id),
            ga_session_id=identifier(self.ga_session_id),
            ym_client_id=identifier(self.ym_client_id),
            click_ids=kept_clicks(self.click_ids) if self.click_ids else {},
        )


class VisitBody(Identified):
    """A page was opened."""

    visitor_id: str | None = None
    url: str = ""
    referrer: str | None = None
    parameters: dict[str, str | int | float | bool | None] = {}
    pools: list[str] = []
    consent: bool = False
    withdrawn: bool = False  # the visitor has said no, or no more: their cookie is removed
    keeps_nothing: bool = False  # the browser keeps neither cookies nor storage

    def kept_parameters(self) -> dict[str, str]:
        """Those with a name and a value, the first so many, cut."""
        pairs = list(self.parameters.items())[:MOST_PARAMETERS]
        cut = {
            clean(name, LONGEST_NAME): clean(str(value))
            for name, value in pairs
            if value is not None
        }
        return {name: value for name, value in cut.items() if name and value}


class PoolsBody(Identified):
    """The pools whose numbers are wanted now."""

    pools: list[str] = []


class AliveBody(Identified):
    """A sign of life, with the leases whose numbers are on the page."""

    path: str | None = None
    leases: list[str] = []
    unchanged: str | None = None  # the path, where a number of the company's could not be replaced


class LeftBody(Identified):
    """The page is left."""

    leases: list[str] = []


class TapBody(Identified):
    """A number was tapped."""

    number: Annotated[str, Field(min_length=1, max_length=80)]


class FormBody(Identified):
    """A phone number was left."""

    phone: Annotated[str, Field(min_length=1, max_length=80)]


class ShownNumber(BaseModel):
    """What to show for a pool; without a number the company's own stays."""

    lease_id: str | None
    number: str | None  # E.164, for the link
    display: str | None  # for people
    parts: Parts | None  # how it may be spelled
    level: DisplayLevel


class Numbers(BaseModel):
    """Numbers by pool."""

    numbers: dict[str, ShownNumber]


class Opened(Numbers):
    """A visit, or without one the numbers alone."""

    visitor_id: str | None
    visit_id: str | None
    code: str | None  # the promo code
    mail: str | None  # the visitor's own address of the company
    alive_seconds: int  # the page gives a sign of life every so often
    hold_seconds: int  # without an answer for so long its numbers may be somebody else's


async def read_body(request: Request, kind: type[Sent]) -> Sent:
    """The body, whatever content type the browser gave it. Raises 413, and 422 for what is none of
    our scripts'.
    """
    raw = await request.body()
    if len(raw) > LARGEST:
        raise HTTPException(413, f"A request here has at most {LARGEST >> 10} kB.")
    try:
        return kind.model_validate_json(raw or b"{}")
    except ValidationError as error:
        raise RequestValidationError(
            error.errors(include_url=False, include_context=False)
        ) from error


def kept_clicks(told: dict[str, Any]) -> dict[str, str]:
    """Those of the click IDs that an advertising system is known to add, cut."""
    texts = {name: clean(value) for name in CLICK_IDS if isinstance(value := told.get(name), str)}
    return {name: value for name, value in texts.items() if value}


def identifier(text: str | None) -> str | None:
    """The text, if it can be an identifier."""
    return text if text and _IDENTIFIER.fullmatch(text) else None


def identifiers(texts: list[str], most: int) -> list[str]:
    """Those of the texts that can be identifiers, the first so many."""
    return [text for text in texts[:most] if _IDENTIFIER.fullmatch(text)]
