"""BottleCRM's REST API: records with their custom fields, and the possible duplicates of a phone.

BottleCRM drops custom fields that it does not have, and users who have left, without an error.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from router.domain.delivery.catalogue import Field
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.entity import EntityKind, Ref
from router.domain.phone import same_phone
from router.receivers import crm_tools as tools
from router.receivers.http import HttpClient, entity, words
from router.service.delivery.outcomes import EntityGone, ReceiverUnavailable, Refused

Row = Mapping[str, Any]
MODELS = tools.by_kind("Contact", "Account", "Lead", "Opportunity")
PATHS = tools.by_kind("contacts", "accounts", "leads", "opportunities")
LINKS = tools.by_kind("contact", "account", "lead", "opportunity")  # of a task or a call
_SHOWN = tools.by_kind("contact_obj", "account_obj", "lead_obj", "opportunity_obj")
# where the records are in the answer of a list
_LISTS = tools.by_kind(
    "results",
    "active_accounts.open_accounts closed_accounts.close_accounts",
    "open_leads.open_leads close_leads.close_leads",
    "opportunities",
)
_TYPES = tools.field_types("text textarea", "number", "dropdown")


class Api:
    """Requests with one personal access token."""

    def __init__(self, http: HttpClient, token: str) -> None:
        self._http, self._headers = http, {"Authorization": f"Bearer {token}"}
        self.fields = tools.FieldCache(self._read_fields)

    async def ask(self, method: str, path: str, key: str, **request: Any) -> Row:
        """The object that is answered, with this key. Raises what refuses it."""
        given = {"headers": self._headers, "accept": frozenset({400}), **request}
        answer = await self._http.ask(method, f"api/{path}/", **given)
        found = tools.an_object(answer.body, "BottleCRM")
        if answer.status == 400:
            raise Refused(AnswerCode.REQUEST_REFUSED, request=path, detail=words(answer))
        if key not in found:
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="BottleCRM")
        return found

    async def page(self, ref: Ref) -> Row:
        """What the page of a record shows. Raises `EntityGone`."""
        with entity(ref):
            return await self.ask("GET", f"{PATHS[ref.kind]}/{ref.id}", _SHOWN[ref.kind])

    async def record(self, ref: Ref) -> Row:
        """One record. Raises `EntityGone`."""
        return tools.an_object((await self.page(ref))[_SHOWN[ref.kind]], "BottleCRM")

    async def records(self, kind: EntityKind, ids: list[str]) -> list[Row]:
        """Those that are still there."""
        found = list[Row]()
        for key in ids:
            with suppress(EntityGone):
                found.append(await self.record(Ref(kind=kind, id=key)))
        return found

    async def find(self, kind: EntityKind, **where: str) -> list[Row]:
        """The records of a list."""
        places = [place.split(".") for place in _LISTS[kind].split()]
        asked = {**where, "limit": 100}
        found = await self.ask("GET", PATHS[kind], places[0][0], params=asked)

        rows = list[Row]()
        for place in places:
            rows += tools.rows_of(found, *place, key="id")
        return rows

    async def with_phone(self, kind: EntityKind, phone: str) -> list[Row]:
        """Records with this phone, which BottleCRM compares by its last ten digits."""
        path = f"{PATHS[kind]}/duplicates"
        found = await self.ask("POST", path, "duplicates", json={"phone": phone})
        rows = tools.rows_of(found, "duplicates", key="id")
        ids = [str(row["id"]) for row in rows if same_phone(str(row.get("phone")), phone)]
        return await self.records(kind, ids)

    async def create(self, kind: EntityKind, values: Row) -> str:
        """The id of a new record."""
        made = await self.ask("POST", PATHS[kind], "error", json=values)
        return tools.id_of(made, "BottleCRM")

    async def claim_active(self, user: str | None) -> list[str]:
        """The user, as records have their users. Raises `Refused` for one who has left."""
        if user is None:
            return []
        found = await self.ask("GET", "users/get-teams-and-users", "profiles")
        if user not in tools.column(tools.rows_of(found, "profiles"), "id"):
            said = {"request": "assigned_to", "detail": f"no active user {user}"}
            raise Refused(AnswerCode.REQUEST_REFUSED, **said)
        return [user]

    async def _read_fields(self, model: str) -> Mapping[str, Field]:
        asked = {"target_model": model, "active_only": "true", "include_counts": "false"}
        found = await self.ask("GET", "custom-fields", "definitions", params=asked)
        rows = tools.rows_of(found, "definitions", key="key")
        return {str(row["key"]): _field(row) for row in rows}


def _field(row: Row) -> Field:
    return tools.a_field(
        row["key"],
        row.get("label"),
        _TYPES.get(str(row.get("field_type"))),
        tools.options_of(tools.rows_of(row, "options"), "label", "value"),
        required=row.get("is_required") is True,
    )


def custom_of(row: Row) -> Row:
    """Its custom fields."""
    return tools.an_object(row.get("custom_fields"), "BottleCRM")
