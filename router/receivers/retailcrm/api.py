"""Client of RetailCRM's API v5: forms that contain JSON, lists with filters, and errors.

Answers are hostile until parsed: the functions below return a value of the right type, or an empty
one.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from router.domain.delivery.codes import AnswerCode, SettingCode
from router.domain.delivery.crm_codes import RetailCrmCode
from router.domain.delivery.entity import EntityKind, Ref
from router.domain.delivery.outcome import Outcome
from router.domain.text import one_line
from router.receivers.header_times import retry_after
from router.receivers.http import NO_RIGHT, Answer, HttpClient, Missing, TooLarge, entity, error_for
from router.receivers.json_body import filled, mapping, member, objects, sequence
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

Row = Mapping[str, Any]

PAGES = (100, 50, 20)  # the page sizes that RetailCRM accepts
MOST = 100  # rows of a list that are read
ORDERS, CUSTOMERS, COMPANIES = "orders", "customers", "customers-corporate"
PATHS = {
    EntityKind.CONTACT: CUSTOMERS,
    EntityKind.COMPANY: COMPANIES,
    EntityKind.LEAD: ORDERS,
    EntityKind.DEAL: ORDERS,
}
ONE = {ORDERS: "order", CUSTOMERS: "customer", COMPANIES: "customerCorporate"}
_MANY = {ORDERS: "orders", CUSTOMERS: "customers", COMPANIES: "customersCorporate"}
_MOST_CHANGES = 2000  # pages of the history that are read for one call
_DIGITS = 18  # letters of an id
_PARTLY = 460  # a part of an upload was refused
_SPOKEN = frozenset(
    {400, 401, 403, 404, _PARTLY, 503}
)  # answers that explain in JSON what is wrong
_NOT_LET_IN = (
    '"apiKey" is missing',
    'Wrong "apiKey" value',
    "Access denied",
    "Account does not exist",
)
_BREATH = timedelta(seconds=5)  # pause after too many requests, if the answer does not name one


class Api:
    """One account and the shop in it; with an empty shop, the only one that the key opens."""

    def __init__(self, http: HttpClient, key: str, site: str) -> None:
        self._http, self._headers, self._site = http, {"X-API-KEY": key}, site
        self._sizes: dict[str, int] = {}  # path → page size, if the largest page was too big

    async def ask(self, method: str, path: str, **request: Any) -> Row:
        """Send a request and return a successful answer. Raises `ReceiverUnavailable` and
        `Refused`.
        """
        answer = await self._http.ask(
            method, f"api/v5/{path}", headers=self._headers, accept=_SPOKEN, **request
        )
        if _is_success(answer):
            return mapping(answer.body)
        raise _trouble(answer, f"{method} {path}")

    async def credentials(self) -> Row:
        """The rights of the key, listed with the versions of the API."""
        answer = await self._http.ask(
            "GET", "api/credentials", headers=self._headers, accept=_SPOKEN
        )
        if _is_success(answer):
            return mapping(answer.body)
        return {}

    async def caller(self, phone: str) -> str | None:
        """The id of the customer that the telephony shows for this phone; None without
        telephony.
        """
        params = {"phone": phone, "details": "1"}
        path, accept = "api/v5/telephony/manager", _SPOKEN - {503}
        answer = await self._http.ask(
            "GET", path, params=params, headers=self._headers, accept=accept
        )
        # documented as a text, answered as a number
        found = str(member(member(answer.body, "customer"), "id"))
        if found.isascii() and found.isdigit() and len(found) <= _DIGITS:
            return found
        return None

    async def list(self, path: str, filters: Mapping[str, str | Sequence[str]]) -> Sequence[Row]:
        """The first hundred customers, orders or companies of the shop that match."""
        if self._site:
            filters = {**filters, "sites": [self._site]}
        params = filtered(filters)
        return await self._rows(path, params, _MANY[path], MOST)

    async def row(self, ref: Ref) -> Row:
        """The present state of an entity."""
        path = PATHS[ref.kind]
        with entity(ref):
            body = await self.ask(
                "GET", f"{path}/{number(ref)}", params={"by": "id", **self.in_shop()}
            )
        row = member(body, ONE[path])
        if not isinstance(row, dict):
            raise ReceiverUnavailable(
                AnswerCode.INCOMPLETE_ANSWER, system="RetailCRM", missing=ONE[path]
            )
        return row

    async def created(self, path: str, since: str, until: str) -> Sequence[Row]:
        """The present state of orders or customers created in that time, by the account's
        history.
        """
        params = filtered({"startDate": since, "endDate": until})
        entries = await self._rows(f"{path}/history", params, "history", _MOST_CHANGES)
        if len(entries) >= _MOST_CHANGES:
            raise ReceiverUnavailable(
                RetailCrmCode.RETAILCRM_LONG_HISTORY, path=path, count=_MOST_CHANGES
            )

        made = dict[str, None]()
        for entry in entries:
            key = member(entry.get(ONE[path]), "id")
            if entry.get("created") is True and _is_id(key):
                made[str(key)] = None
        ids = list(made)
        found: list[Row] = []
        for start in range(0, len(ids), MOST):
            found += await self.list(path, {"ids": ids[start : start + MOST]})
        return found

    async def _rows(
        self, path: str, params: Mapping[str, Any], name: str, most: int
    ) -> Sequence[Row]:
        """The first rows of a list, in pages small enough for an answer: wholesale orders have
        many lines.
        """
        while True:
            size = self._sizes.get(path, PAGES[0])
            try:
                return await self._pages(path, params, name, most, size)
            except TooLarge:
                if size == PAGES[-1]:
                    raise
                self._sizes[path] = PAGES[PAGES.index(size) + 1]

    async def _pages(
        self, path: str, params: Mapping[str, Any], name: str, most: int, size: int
    ) -> Sequence[Row]:
        found: list[Row] = []
        for page in range(1, most // size + 1):
            asked = {**params, "limit": str(size), "page": str(page)}
            some = rows(await self.ask("GET", path, params=asked), name)
            found += some
            if len(some) < size:
                break
        return found

    async def post(self, path: str, values: Mapping[str, Any], **plainly: str) -> Row:
        """Send a form: each of `values` as JSON in a field of its own, `plainly` unchanged."""
        form = {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
        return await self.ask("POST", path, data={**form, **plainly})

    async def edit(self, ref: Ref, values: Row) -> None:
        """Change only these fields of an entity."""
        path = PATHS[ref.kind]
        await self.post(
            f"{path}/{number(ref)}/edit", {ONE[path]: values}, by="id", **self.in_shop()
        )

    async def upload(self, path: str, name: str, row: Row) -> Outcome | None:
        """Upload one row; returns why it was refused, or None. A row that exists counts as
        accepted.
        """
        try:
            body = await self.post(path, {name: [{**row, **self.in_shop()}]})
        except Refused as error:
            return error.outcome
        failed = next((key for key in filled(body) if key.startswith("failed")), None)
        if failed is None:
            return None
        return Outcome.of(RetailCrmCode.RETAILCRM_OTHER_SHOP, field=failed, shop=self._site)

    def in_shop(self) -> dict[str, str]:
        """The parameters of a request about one shop."""
        if not self._site:
            return {}
        return {"site": self._site}


def _is_success(answer: Answer) -> bool:
    return answer.status < 300 and member(answer.body, "success") is True


def filtered(filters: Mapping[str, str | Sequence[str]]) -> dict[str, Any]:
    """Filters as parameters: `filter[name]`, or `filter[name][]` for several values."""
    params = dict[str, Any]()
    for name, value in filters.items():
        if isinstance(value, str):
            params[f"filter[{name}]"] = value
        else:
            params[f"filter[{name}][]"] = value
    return params


def rows(body: Any, name: str) -> list[Row]:
    """The rows of a list that have an id."""
    return [row for row in objects(member(body, name)) if _is_id(row.get("id"))]


def text(value: Any) -> str:
    """A text; empty for anything else."""
    if isinstance(value, str):
        return value
    return ""


def texts(value: Any) -> list[str]:
    """The texts of a list; empty for anything else."""
    return [item for item in sequence(value) if isinstance(item, str)]


def phones(row: Row) -> Iterator[str]:
    """Every phone of a customer, or of an order and its customer, as typed."""
    for name in ("phone", "additionalPhone"):
        yield text(row.get(name))
    for holder in (row, row.get("customer"), row.get("contact")):
        for phone in sequence(member(holder, "phones")):
            yield text(member(phone, "number"))


def number(ref: Ref) -> int:
    """An id in RetailCRM's format. Raises `Refused`: a person may have entered something else."""
    known = _number(ref.id)
    if known is None:
        raise Refused(
            SettingCode.NO_SUCH_ID, found=ref.id[:40], kind=ref.kind.value, system="RetailCRM"
        )
    return known


def user(id: str) -> int:  # noqa: A002
    """The id of an employee. Raises `Refused`."""
    known = _number(id)
    if known is None:
        raise Refused(SettingCode.NOT_A_NUMBER, name="responsible", found=id, system="RetailCRM")
    return known


def _number(text: str) -> int | None:
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS:
        return int(text)
    return None


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _trouble(answer: Answer, asked: str) -> ReceiverUnavailable | Refused:
    said = _said(answer.body)
    if any(words in said for words in _NOT_LET_IN) or answer.status in {401, 403}:
        detail = said or answer.status
        refused = RetailCrmCode.RETAILCRM_KEY_REFUSED
        return ReceiverUnavailable(refused, pause=NO_RIGHT, detail=detail)
    if answer.status == 503:
        pause = retry_after(answer.headers) or _BREATH
        too_many = {"system": "RetailCRM", "detail": said or "503"}
        return ReceiverUnavailable(AnswerCode.TOO_MANY_REQUESTS, pause=pause, **too_many)
    if said:
        request = f"RetailCRM, {asked}"
        if answer.status == 404:
            return Missing(AnswerCode.REQUEST_REFUSED, request=request, detail=said)
        return Refused(AnswerCode.REQUEST_REFUSED, request=request, detail=said)
    if answer.status < 300:
        return ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="RetailCRM")
    return error_for(answer)


def _said(body: Any) -> str:
    """The error's message, and those about single fields."""
    errors = member(body, "errors")
    if isinstance(errors, dict):
        errors = [f"{name}: {value}" for name, value in errors.items()]
    details = "; ".join(map(str, sequence(errors)))
    return one_line(" – ".join(filter(None, (text(member(body, "errorMsg")), details))))
