"""Client of one counter in Metrica's API."""

from dataclasses import replace
from typing import Any

from router.domain.delivery.codes import AnswerCode
from router.domain.text import one_line
from router.receivers.http import Answer, HttpClient, error_for
from router.receivers.json_body import mapping, member, objects
from router.receivers.kept_tokens import bearer
from router.service.delivery.outcomes import ReceiverUnavailable

# where each kind of upload is listed
LISTS = {
    "upload_calls": "calls_uploadings",
    "upload": "uploadings",
}
_REFUSALS = frozenset(range(400, 600))


class Api:
    """One counter."""

    def __init__(self, http: HttpClient, counter: str, token: str | None) -> None:
        self._http, self._counter = http, f"management/v1/counter/{counter}"
        self._headers = bearer(token, "OAuth")

    async def ask(self, method: str, path: str, **request: Any) -> Answer:
        """One request below the counter. Raises `ReceiverUnavailable` and `Refused`."""
        answer = await self.attempt(method, f"/{path}", **request)
        if answer.status >= 400:
            raise error_for(replace(answer, text=said(answer)))
        return answer

    async def attempt(self, method: str, path: str, **request: Any) -> Answer:
        """The answer, also where Metrica refuses."""
        return await self._http.ask(
            method, self._counter + path, headers=self._headers, accept=_REFUSALS, **request
        )


def part(answer: Answer, name: str, kind: type[Any]) -> Any:
    """A part of an answer, of the right type. Raises `ReceiverUnavailable`."""
    found = member(answer.body, name)
    if not isinstance(found, kind):
        raise ReceiverUnavailable(AnswerCode.INCOMPLETE_ANSWER, system="Metrica", missing=name)
    return found


def said(answer: Answer) -> str:
    """The text of an error without its JSON."""
    body = mapping(answer.body)
    listed = [error.get("message") for error in objects(body.get("errors"))]
    words = [text for text in (*listed, body.get("message")) if isinstance(text, str) and text]
    return one_line("; ".join(dict.fromkeys(words)) or answer.text)
