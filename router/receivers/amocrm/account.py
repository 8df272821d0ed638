"""Client of an amoCRM (Kommo) account, REST API v4: unpacks rows and translates errors.

An empty list is 204 without a body. Too many requests get 429 with an HTML page, and then 403 for
every request from the address, so 403 is not retried quickly.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from router.domain.delivery.codes import AnswerCode, SettingCode
from router.domain.delivery.crm_codes import AmoCrmCode, CrmCode
from router.domain.text import one_line
from router.receivers.crm_tools import rows_of
from router.receivers.header_times import retry_after
from router.receivers.http import NO_RIGHT, Answer, HttpClient, Missing
from router.receivers.json_body import member
from router.receivers.kept_tokens import bearer
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

Row = Mapping[str, Any]
Params = Sequence[tuple[str, str]]

MOST = 250  # rows of one page
SHUT_OUT = timedelta(hours=1)  # between attempts of an address that may be banned
_BREATH = timedelta(seconds=10)  # pause after exceeding the rate limit
_MOVED = frozenset({301, 302, 303, 307, 308})
_OURS_TO_TELL = _MOVED | {400, 402, 403, 404, 422, 429}


class Account:
    """Client of one account."""

    def __init__(self, http: HttpClient, token: str | None) -> None:
        self._http, self._headers = http, bearer(token)

    async def ask(self, method: str, path: str, **request: Any) -> Any:
        """Send a request and return its JSON; None if amoCRM found nothing. Raises
        `ReceiverUnavailable` and `Refused`.
        """
        answer = await self._http.ask(
            method, f"api/v4/{path}", headers=self._headers, accept=_OURS_TO_TELL, **request
        )
        if answer.status in _OURS_TO_TELL:
            raise _trouble(answer, path)
        if answer.body is None and answer.status != 204:
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="amoCRM")
        return answer.body

    async def rows(self, path: str, params: Params = (), *, most: int = MOST) -> list[Row]:
        """One page of a list; the rows are under the last part of its path."""
        body = await self.ask("GET", path, params=[*params, ("limit", str(most))])
        if body is not None and not (isinstance(body, dict) and "_embedded" in body):
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="amoCRM")
        return embedded(body, path.rsplit("/", 1)[-1])

    async def add(self, path: str, row: Mapping[str, Any], *, name: str = "") -> Row:
        """Create one entity; returns amoCRM's answer."""
        made = embedded(await self.ask("POST", path, json=[row]), name or path.rsplit("/", 1)[-1])
        if not made:
            raise ReceiverUnavailable(AnswerCode.INCOMPLETE_ANSWER, system="amoCRM", missing=path)
        return made[0]


def embedded(body: Any, name: str) -> list[Row]:
    """The rows with this name in a row or an answer; empty if there is no such list."""
    return rows_of(body, "_embedded", name)


def number(value: Any) -> int | None:
    """A number in JSON, also if written as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return None


def text(value: Any) -> str:
    """A text or a number as text; anything else is empty."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def moment(value: Any) -> datetime | None:
    """A Unix timestamp."""
    seconds = number(value)
    if seconds and seconds < 1 << 35:
        return datetime.fromtimestamp(seconds, UTC)
    return None


def identity(given: str, what: str) -> int:
    """The number of a row. Raises `Refused` if it is not a number."""
    known = number(given)
    if known is None:
        raise Refused(SettingCode.NOT_A_NUMBER, name=what, found=given[:40], system="amoCRM")
    return known


def _trouble(answer: Answer, path: str) -> ReceiverUnavailable | Refused:
    if answer.status in _MOVED:
        where = answer.headers.get("location", "") or "https://….amocrm.ru"
        moved = {"status": answer.status, "address": where}
        return ReceiverUnavailable(AnswerCode.SERVER_MOVED, pause=NO_RIGHT, **moved)
    if answer.status == 402:
        return ReceiverUnavailable(CrmCode.ACCOUNT_NOT_PAID, pause=NO_RIGHT, system="amoCRM")
    if answer.status == 403:
        return ReceiverUnavailable(AmoCrmCode.AMOCRM_FORBIDDEN, pause=SHUT_OUT, path=path)
    if answer.status == 429:
        pause = max(_BREATH, retry_after(answer.headers))
        too_many = {"system": "amoCRM", "detail": f"429 {answer.text}"}
        return ReceiverUnavailable(AnswerCode.TOO_MANY_REQUESTS, pause=pause, **too_many)
    if answer.status == 404 and answer.body is None:
        return ReceiverUnavailable(AnswerCode.NOT_ITS_API, pause=NO_RIGHT, system="amoCRM")
    detail = _reasons(answer.body) or answer.text
    said = {"request": f"{answer.status} {path}", "detail": detail}
    if answer.status == 404:
        return Missing(AnswerCode.REQUEST_REFUSED, **said)
    return Refused(AnswerCode.REQUEST_REFUSED, **said)


def _reasons(body: Any) -> str:
    """Validation errors: field, message, code."""
    said = []
    for answer in rows_of(body, "validation-errors"):
        for error in rows_of(answer, "errors"):
            path, detail = text(error.get("path")), text(error.get("detail"))
            said.append(f"{path}: {detail} ({text(error.get('code'))})")
    return one_line("; ".join(said) or text(member(body, "detail")) or text(member(body, "title")))
