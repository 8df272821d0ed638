"""Client of Bitrix24: methods by an incoming webhook or as a local app, batches, and errors.

Errors have codes of their own, which say more than the HTTP status: they come with every status,
also with 200, and inside a batch beside the answers of the other commands.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict
from urllib.parse import urlencode

from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.crm_codes import Bitrix24Code
from router.domain.text import one_line
from router.receivers.header_times import LONGEST_PATIENCE
from router.receivers.http import NO_RIGHT, Answer, HttpClient, Missing, error_for
from router.receivers.json_body import mapping, objects
from router.receivers.oauth import is_app
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

Params = Mapping[str, Any]
Command = tuple[str, Params]


class _Said(TypedDict):
    """What was requested, and what the portal answered."""

    request: str
    detail: str


_ANY_ERROR = frozenset({400, 401, 402, 403, 404, 405, 410, 429, 500, 503})
# a full request bucket, which loses two a second, has room again after this
_FULL = timedelta(seconds=10)
_WINDOW = timedelta(minutes=10)  # the period in which Bitrix24 limits a method's run time
_MOST_PAGES = 10  # pages of fifty rows
_OF_WEBHOOKS = frozenset(
    {
        Bitrix24Code.BITRIX24_NEW_WEBHOOK,
        Bitrix24Code.BITRIX24_NO_USER,
        Bitrix24Code.BITRIX24_WRONG_LOGIN,
    }
)
_ADVICE = {
    "ACCESS_DENIED": Bitrix24Code.BITRIX24_NEEDS_PLAN,
    "ACCESS_ERROR": Bitrix24Code.BITRIX24_GIVE_RIGHT,
    "ALLOWED_ONLY_INTRANET_USER": Bitrix24Code.BITRIX24_NEEDS_EMPLOYEE,
    "APPLICATION_NOT_FOUND": Bitrix24Code.BITRIX24_NEW_WEBHOOK,
    "AUTHORIZATION_ERROR": Bitrix24Code.BITRIX24_NEW_WEBHOOK,
    "EXPIRED_TOKEN": Bitrix24Code.BITRIX24_NEW_WEBHOOK,
    "INSUFFICIENT_SCOPE": Bitrix24Code.BITRIX24_NEEDS_SCOPE,
    "INVALID_CREDENTIALS": Bitrix24Code.BITRIX24_GIVE_RIGHT,
    "INVALID_TOKEN": Bitrix24Code.BITRIX24_NEW_WEBHOOK,
    "NO_AUTH_FOUND": Bitrix24Code.BITRIX24_NO_USER,
    "OVERLOAD_LIMIT": Bitrix24Code.BITRIX24_BLOCKED,
    "PAYMENT_REQUIRED": Bitrix24Code.BITRIX24_NOT_PAID,
    "PORTAL_DELETED": Bitrix24Code.BITRIX24_CLOSED,
    "USER_ACCESS_ERROR": Bitrix24Code.BITRIX24_GIVE_ACCESS,
    "WRONG_AUTH_TYPE": Bitrix24Code.BITRIX24_WRONG_LOGIN,
}
_ADVICE_OF_APPS = {
    **_ADVICE,
    **dict.fromkeys(
        (code for code, advice in _ADVICE.items() if advice in _OF_WEBHOOKS),
        Bitrix24Code.BITRIX24_CONNECT_APP,
    ),
    "INSUFFICIENT_SCOPE": Bitrix24Code.BITRIX24_APP_SCOPE,
}
_PASSING = frozenset(
    {
        "QUERY_LIMIT_EXCEEDED",
        "OPERATION_TIME_LIMIT",
        "INTERNAL_SERVER_ERROR",
        "ERROR_UNEXPECTED_ANSWER",
    }
)


class Portal:
    """One portal, used as one user: by a webhook, or by an app that the user has authorised."""

    def __init__(self, http: HttpClient, token: Mapping[str, str]) -> None:
        self._http, self._advice = http, _ADVICE
        if is_app(token):
            self._advice = _ADVICE_OF_APPS
            self.user, self._path = token.get("user_id") or "1", "rest"
            return
        webhook = token["webhook"]
        parts = re.search(r"(\d+)/(\w+)/*$", webhook.strip())  # the whole address is accepted, too
        if parts is None:
            raise ReceiverUnavailable(Bitrix24Code.BITRIX24_WEBHOOK_UNREADABLE, pause=NO_RIGHT)
        self.user = parts[1]
        self._path = f"rest/{parts[1]}/{parts[2]}"

    async def call(self, method: str, params: Params) -> Any:
        """Call a method and return its result."""
        return (await self._ask(method, params))["result"]

    async def pages(self, method: str, params: Params) -> list[dict[str, Any]]:
        """The rows of a list, page by page; only the beginning of a very long list."""
        found: list[dict[str, Any]] = []
        start: Any = 0
        for _ in range(_MOST_PAGES):
            body = await self._ask(method, {**params, "start": start})
            found += rows(body["result"])
            start = body.get("next")
            if not isinstance(start, int):
                break
        return found

    async def batch(
        self,
        commands: Mapping[str, Command],
        *,
        optional: frozenset[str] = frozenset(),
        halt: bool = False,
    ) -> dict[str, Any]:
        """Results by the commands' names. A command in `optional` is left out if we lack a right to
        it.
        """
        asked = {name: _command(*command) for name, command in commands.items()}
        body = mapping(await self.call("batch", {"halt": int(halt), "cmd": asked}))
        spent = mapping(body.get("result_time"))
        for name, error in mapping(body.get("result_error")).items():
            code, said = _read_error(error)
            if name not in optional or code in _PASSING:
                method, _ = commands.get(name, (name, {}))
                raise self._meant(code, _Said(request=method, detail=said), spent.get(name))
        results = mapping(body.get("result"))
        missing = commands.keys() - results.keys() - optional
        if missing:
            raise ReceiverUnavailable(
                AnswerCode.INCOMPLETE_ANSWER, system="Bitrix24", missing=sorted(missing)
            )
        return results

    async def _ask(self, method: str, params: Params) -> dict[str, Any]:
        answer = await self._http.ask(
            "POST", f"{self._path}/{method}", json=dict(params), accept=_ANY_ERROR
        )
        body = answer.body
        if isinstance(body, dict) and isinstance(body.get("error"), str):
            code, said = _read_error(body)
            time = body.get("time")
            raise self._meant(code, _Said(request=method, detail=said), time, answer)
        if not 200 <= answer.status < 300:
            raise error_for(answer)
        if not isinstance(body, dict) or "result" not in body or "error" in body:
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Bitrix24")
        return body

    def _meant(
        self, code: str, said: "_Said", time: Any, answer: Answer | None = None
    ) -> ReceiverUnavailable | Refused:
        failed = AnswerCode.REQUEST_FAILED
        if code in self._advice:
            pause = NO_RIGHT
            if code == "OVERLOAD_LIMIT":
                pause = LONGEST_PATIENCE
            return ReceiverUnavailable(failed, self._advice[code], pause=pause, **said)
        if code == "QUERY_LIMIT_EXCEEDED":
            return ReceiverUnavailable(failed, pause=_FULL, **said)
        if code == "OPERATION_TIME_LIMIT":
            return ReceiverUnavailable(failed, pause=_until_reset(mapping(time)), **said)
        if code in _PASSING:
            return ReceiverUnavailable(failed, **said)
        # A code that we do not know: the status decides; inside a batch, and in 200, it speaks of
        # what was sent.
        if answer is not None and (answer.status in {401, 402, 403, 429} or answer.status >= 500):
            return error_for(answer)
        if code == "NOT_FOUND":
            return Missing(AnswerCode.REQUEST_REFUSED, **said)
        return Refused(AnswerCode.REQUEST_REFUSED, **said)


def signed(token: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """A request of an app: its token is a parameter."""
    return {**request, "json": {**request.get("json", {}), "auth": token}}


def rows(value: Any) -> list[dict[str, Any]]:
    """The objects of a list, of `{"items": […]}`, or of a list with gaps, which PHP writes as an
    object.
    """
    if isinstance(value, dict):
        value = value.get("items", list(value.values()))
    return objects(value)


def _command(method: str, params: Params) -> str:
    return f"{method}?{urlencode(list(_flat(params, '')))}"


def _flat(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Names and values in the form in which PHP reads a query."""
    if isinstance(value, Mapping):
        items: Sequence[tuple[Any, Any]] = list(value.items())
    elif isinstance(value, list | tuple):
        items = list(enumerate(value))
    else:
        yield name, str(value)
        return
    for key, inner in items:
        inner_name = str(key)
        if name:
            inner_name = f"{name}[{key}]"
        yield from _flat(inner, inner_name)


def _read_error(body: Any) -> tuple[str, str]:
    """The error's code in one spelling, and the whole error as text for people."""
    error = mapping(body)
    code, text = str(error.get("error") or "an error"), str(error.get("error_description") or "")
    return code.upper().replace(" ", "_"), one_line(f"{code} {text}")


def _until_reset(time: Mapping[str, Any]) -> timedelta:
    """The time until the limit ends, by the portal's own clock, which may differ from ours."""
    try:
        left = float(time["operating_reset_at"]) - float(time["finish"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return _WINDOW
    return timedelta(seconds=min(max(1.0, left), LONGEST_PATIENCE.total_seconds()))
