"""Client of HubSpot's API.

Reading by id and associations have no delay. The search finds new records after about ten seconds
and changed ones after a minute, and has a lower rate limit.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.connection import ReceiverHealth, reserve
from router.domain.delivery.crm_codes import HubspotCode
from router.receivers.crm_tools import moment, rows_of
from router.receivers.http import Answer, HttpClient
from router.receivers.hubspot.errors import refusal
from router.receivers.json_body import filled, mapping, member
from router.receivers.kept_tokens import bearer
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

# Versions are dates. This one is supported until September 2027, as v3 is; v4 only until March
# 2027. 2026-09 refuses every write that an administrator's validation rule would refuse on a page:
# a deal of a call would be lost for a field that a person fills in later.
VERSION = "2026-03"
# requests a second; HubSpot accepts four, but requests do not arrive evenly
SEARCHES_PER_SECOND = 3.5
MOST_FILTERS = 6  # filters of one group in a search
NEWEST = 100  # associated records that are read: as many as a batch may hold
_ERRORS = frozenset(range(400, 500))  # statuses that `refusal` explains better
_NOTHING_THERE = frozenset(
    {"OBJECT_NOT_FOUND"}
)  # errors in a batch that leave the other objects readable
_KEYS = "Development → Keys → Service keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A HubSpot object; properties without a value are left out."""

    id: str
    properties: Mapping[str, str]
    created_at: datetime | None = None
    # the requested types of objects that it is associated with
    linked: frozenset[str] = frozenset()


class Api:
    """The objects of one account, by HubSpot's names of types: contacts, deals, notes, …"""

    def __init__(self, http: HttpClient, token: str | None) -> None:
        self._http, self._headers = http, bearer(token)
        started = datetime.now(UTC)
        self._searches = ReceiverHealth(receiver_id="search", next_at=started, paused_until=started)

    async def ask(
        self, method: str, path: str, *, accept: Iterable[int] = (), **request: Any
    ) -> Answer:
        """The answer, if it succeeded or its status is in `accept`. Raises `ReceiverUnavailable`
        and `Refused`.
        """
        answer = await self._http.ask(
            method, path, headers=self._headers, accept=_ERRORS, **request
        )
        if answer.status >= 400 and answer.status not in accept:
            raise refusal(answer)
        return answer

    async def get(
        self,
        kind: str,
        key: str,
        properties: Sequence[str],
        *,
        by: str | None = None,
        with_links: str = "",
    ) -> Record | None:
        """An object by its id or another unique property; None if there is none."""
        params = {"properties": ",".join(properties), "idProperty": by, "associations": with_links}
        answer = await self.ask(
            "GET",
            _path(kind, key),
            accept={404},
            params=filled(params),
        )
        if answer.status == 404:
            return None
        return _one(answer.body)

    async def probe(self, kind: str, *, write: bool = False) -> Answer:
        """Test the right to read or write objects of a type, without a change."""
        refused = {400, 403, 404, 405}
        if not write:
            return await self.ask("GET", _objects(kind), accept=refused, params={"limit": "1"})
        nothing: dict[str, Any] = {"inputs": []}
        return await self.ask(
            "POST", f"{_objects(kind)}/batch/upsert", accept=refused, json=nothing
        )

    async def search(
        self, kind: str, where: Sequence[Sequence[Mapping[str, str]]], sort: str, *names: str
    ) -> list[Record]:
        """The first hundred that match any group of filters; the result is some seconds old."""
        await self._pace_search()
        asked = {
            "filterGroups": [{"filters": list(filters)} for filters in where],
            "properties": list(names),
            "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
            "limit": NEWEST,
        }
        return _many((await self.ask("POST", f"{_objects(kind)}/search", json=asked)).body)

    async def read_newest(
        self, kind: str, ids: Iterable[str], properties: Sequence[str]
    ) -> list[Record]:
        """Those of the ids that still exist; of more than a hundred, the newest."""
        newest = sorted(set(ids), key=int)[-NEWEST:]
        if not newest:
            return []
        asked = {
            "inputs": [{"id": id_} for id_ in newest],
            "properties": list(properties),
            "propertiesWithHistory": [],
        }
        return _many((await self.ask("POST", f"{_objects(kind)}/batch/read", json=asked)).body)

    async def upsert(self, kind: str, key: str, by: str, properties: Mapping[str, str]) -> Record:
        """Create the object with this value of a unique property, or change the existing one."""
        asked = {"inputs": [{"id": key, "idProperty": by, "properties": dict(properties)}]}
        body = (await self.ask("POST", f"{_objects(kind)}/batch/upsert", json=asked)).body
        made = _many(body)
        if not made:
            raise ReceiverUnavailable(AnswerCode.INCOMPLETE_ANSWER, system="HubSpot", missing=kind)
        return made[0]

    async def linked(self, kind: str, ids: Iterable[str], to: str) -> dict[str, list[str]]:
        """The associated objects of another type, by id."""
        inputs = [{"id": id_} for id_ in sorted(set(ids), key=int)[-NEWEST:]]
        if not inputs:
            return {}
        body = (
            await self.ask(
                "POST",
                f"crm/associations/{VERSION}/{kind}/{to}/batch/read",
                json={"inputs": inputs},
            )
        ).body
        found = {}
        for row in _results(body):
            others = [_id(other, "toObjectId") for other in rows_of(row, "to")]
            found[_id(row.get("from"))] = others
        return found

    async def link(self, kind: str, key: str, to: str, other: str) -> None:
        """Associate two objects; repeating changes nothing."""
        await self.ask("PUT", f"{_path(kind, key)}/associations/default/{to}/{other}")

    async def change(self, kind: str, key: str, properties: Mapping[str, str]) -> None:
        """Change only these properties."""
        await self.ask("PATCH", _path(kind, key), json={"properties": dict(properties)})

    async def create(
        self, kind: str, properties: Mapping[str, str], to: str, link_type: int
    ) -> Record:
        """Create an object with its association."""
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": link_type}]
        asked = {
            "properties": dict(properties),
            "associations": [{"to": {"id": to}, "types": types}],
        }
        return _one((await self.ask("POST", _objects(kind), json=asked)).body)

    async def link_type(self, kind: str, to: str) -> int:
        """The number of the unlabelled association between two types."""
        body = (await self.ask("GET", f"crm/associations/{VERSION}/{kind}/{to}/labels")).body
        for row in _results(body):
            if row.get("label") is None and isinstance(number := row.get("typeId"), int):
                return number
        raise Refused(HubspotCode.HUBSPOT_NO_ASSOCIATION, objects=kind, to=to)

    async def _pace_search(self) -> None:
        self._searches, pause = reserve(self._searches, SEARCHES_PER_SECOND, 1, datetime.now(UTC))
        if pause:
            await asyncio.sleep(pause.total_seconds())


def _objects(kind: str) -> str:
    return f"crm/objects/{VERSION}/{kind}"


def _path(kind: str, key: str) -> str:
    return f"{_objects(kind)}/{quote(key, safe='')}"


def _results(body: Any) -> list[Mapping[str, Any]]:
    """The results of a batch or a search. Part of a batch may have failed; only objects that do
    not exist may be missing.
    """
    if not isinstance(body, dict) or not isinstance(body.get("results"), list):
        raise ReceiverUnavailable(AnswerCode.INCOMPLETE_ANSWER, system="HubSpot", missing="results")
    for error in rows_of(body, "errors"):
        if error.get("category") == "VALIDATION_ERROR":
            raise Refused(
                AnswerCode.REQUEST_REFUSED, request="HubSpot", detail=str(error.get("message"))
            )
        if error.get("category") not in _NOTHING_THERE:
            raise ReceiverUnavailable(HubspotCode.HUBSPOT_PARTLY, detail=str(error.get("message")))
    return rows_of(body, "results")


def _many(body: Any) -> list[Record]:
    return [_one(row) for row in _results(body)]


def _one(row: Any) -> Record:
    """Parse an object. Raises `ReceiverUnavailable` if invalid."""
    key = _id(row)
    properties, links = mapping(row.get("properties")), mapping(row.get("associations"))
    values = {name: str(value) for name, value in properties.items() if value not in (None, "")}
    linked = frozenset(str(name) for name, to in links.items() if member(to, "results"))
    created_at = moment(row.get("createdAt"))
    return Record(id=key, properties=values, created_at=created_at, linked=linked)


def _id(row: Any, name: str = "id") -> str:
    """An id: a number, which may be written as text."""
    value = str(member(row, name))
    if not (value.isascii() and value.isdigit() and len(value) <= 30):
        raise ReceiverUnavailable(AnswerCode.INCOMPLETE_ANSWER, system="HubSpot", missing=name)
    return value
