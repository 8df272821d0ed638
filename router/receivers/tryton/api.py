"""Client of Tryton's REST application: rows of models, in one database and company."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from router.domain.delivery.codes import AnswerCode, SettingCode
from router.receivers.http import Answer, HttpClient
from router.receivers.json_body import member, sequence
from router.receivers.tryton.rows import packed, rows_of
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

PARTY, OPPORTUNITY, NOTE = "party.party", "sale.opportunity", "ir.note"
OLDEST, NEWEST = [["id", "ASC"]], [["id", "DESC"]]
MOST = 50  # rows of an answer
# the answers to a wrong key, database, right, company or model
SAYS_NO = frozenset({400, 401, 403, 404, 500})


class Api:
    """The rows of one company, with the rights of the key's user."""

    def __init__(self, http: HttpClient, key: str, database: str, company: str) -> None:
        self._http, self._key = http, key
        self.database, self.company = database, company
        self._me: int | None = None

    async def find(
        self, model: str, where: Sequence[Any], fields: Iterable[str], order: Any
    ) -> list[dict[str, Any]]:
        """The first rows that match a domain."""
        said = [("d", packed(where)), ("o", packed(order)), ("s", str(MOST))]
        return rows_of(
            await self.ask("GET", model, params=[*said, *(("f", name) for name in fields)])
        )

    async def ask(self, method: str, path: str, *, empty_means: Any = None, **request: Any) -> Any:
        """Send a request and return its JSON. Raises `ReceiverUnavailable` and `Refused`."""
        answer = await self._send(method, path, **request)
        if answer.status == 204:  # it was carried out, but the key's user may not read the result
            return empty_means
        if answer.body is None:
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Tryton")
        return answer.body

    async def attempt(self, method: str, path: str, **request: Any) -> Answer:
        """The answer, also if Tryton refuses."""
        return await self._send(method, path, accept=SAYS_NO, **request)

    async def _send(
        self, method: str, path: str, *, context: Mapping[str, Any] | None = None, **request: Any
    ) -> Answer:
        company = self.company
        if not (company.isascii() and company.isdigit()):
            raise Refused(
                SettingCode.NOT_A_NUMBER, name="company", found=company[:40], system="Tryton"
            )
        if context is None:
            context = {"company": int(company), "companies": [int(company)]}
        headers = {"Authorization": f"Bearer {self._key}", "X-Tryton-Context": packed(context)}
        database = quote(self.database, safe="")
        return await self._http.ask(
            method, f"{database}/rest/model/{path}", headers=headers, **request
        )

    async def user(self) -> int | None:
        """The id of the key's user; None if Tryton does not say."""
        if self._me is None:
            valid = [["application", "=", "rest"], ["state", "=", "validated"]]
            keys = await self.find("res.user.application", valid, ["user"], OLDEST)
            if (
                len({row.get("user") for row in keys}) > 1
            ):  # an administrator sees the keys of all users
                answer = await self.attempt(
                    "POST", "res.user/get_preferences", json={"context_only": False}
                )
                mine = sequence(member(answer.body, "applications"))
                keys = [row for row in keys if row["id"] in mine]
            self._me = next((row["user"] for row in keys if isinstance(row.get("user"), int)), None)
        return self._me
