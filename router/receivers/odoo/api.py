"""Client of Odoo's external API: JSON-2 of Odoo 19 with a bearer key, or JSON-RPC for earlier
versions.

Both call methods of models by name. A refusal is an exception of Odoo or of Python, whose name is
in the answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from router.domain.delivery.catalogue import Field
from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.crm_codes import OdooCode
from router.domain.delivery.entity import Ref
from router.receivers import crm_tools as tools
from router.receivers.http import NO_RIGHT, HttpClient, Missing
from router.receivers.json_body import mapping, member, sequence
from router.service.delivery.outcomes import EntityGone, ReceiverUnavailable, Refused

Row = Mapping[str, Any]
PARTNER, LEAD = "res.partner", "crm.lead"
MODELS = tools.by_kind(PARTNER, PARTNER, LEAD, LEAD)
_FAILED = frozenset({500})
_ATTRIBUTES = ["type", "string", "selection", "size", "required", "readonly"]
_TYPES = tools.field_types("char text html", "integer float monetary", "selection")
_NO_RIGHT = ("AccessError", "AccessDenied")
_REFUSALS = ("UserError", "ValidationError", "ValueError", "KeyError", "TypeError")


class Api:
    """Calls methods of one database; with `login`, by JSON-RPC."""

    def __init__(self, http: HttpClient, key: str, database: str, login: str) -> None:
        self._http, self._key = http, key
        self._database, self._login = database, login
        self._user: int | None = None
        self.fields = tools.FieldCache(self._read_fields)

    async def find(
        self, model: str, domain: list[Any], fields: Sequence[str], *, archived: bool = False
    ) -> list[Row]:
        """The newest records, with those of the fields that the model has."""
        known = await self.fields(model)
        asked = [name for name in ("id", "create_date", *fields) if name in known]
        order = {"order": "id desc", "limit": 100}
        if archived:
            domain = [*domain, ["active", "in", [True, False]]]
        rows = await self.call(model, "search_read", domain=domain, fields=asked, **order)
        if not isinstance(rows, list):
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Odoo")
        return tools.rows_of(rows, key="id")

    async def record(self, ref: Ref, fields: Sequence[str]) -> Row:
        """One record, also an archived one. Raises `EntityGone`."""
        where = [["id", "=", int(ref.id)]]
        for row in await self.find(MODELS[ref.kind], where, fields, archived=True):
            return row
        raise EntityGone(ref)

    async def model_id(self, model: str) -> int:
        """Odoo's number of the model. Raises `Refused` if the user may not see it."""
        for row in await self.find("ir.model", [["model", "=", model]], ["model"]):
            return int(row["id"])
        raise Refused(OdooCode.ODOO_HIDDEN, model=model)

    async def create(self, model: str, values: Row) -> int:
        """Create a record and return its id."""
        made = await self.call(model, "create", vals_list=[dict(values)])
        if not isinstance(made, list) or not made or not isinstance(made[0], int):
            raise ReceiverUnavailable(AnswerCode.INCOMPLETE_ANSWER, system="Odoo", missing="id")
        return made[0]

    async def call(self, model: str, method: str, **given: Any) -> Any:
        """Call a method and return its result. Raises `ReceiverUnavailable` and `Refused`."""
        if self._login:
            return await self._by_rpc(model, method, given)
        headers = {"Authorization": f"Bearer {self._key}"}
        if self._database:
            headers["X-Odoo-Database"] = self._database
        path = f"json/2/{model}/{method}"
        answer = await self._http.ask("POST", path, accept=_FAILED, headers=headers, json=given)
        if answer.status == 500:
            raise _trouble(answer.body)
        return answer.body

    async def _read_fields(self, model: str) -> Mapping[str, Field]:
        found = await self.call(model, "fields_get", attributes=_ATTRIBUTES)
        if not isinstance(found, dict) or "id" not in found:  # which every model has
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Odoo")
        rows = found.items()
        return {name: _field(name, row) for name, row in rows if isinstance(row, dict)}

    async def _by_rpc(self, model: str, method: str, given: dict[str, Any]) -> Any:
        if self._user is None:
            who = [self._database, self._login, self._key, {}]
            found = await self._rpc("common", "authenticate", who)
            if not isinstance(found, int) or isinstance(found, bool):
                raise ReceiverUnavailable(OdooCode.ODOO_KEY_REFUSED, pause=NO_RIGHT)
            self._user = found
        places = [given.pop(name) for name in ("ids", "vals_list") if name in given]
        what = [self._database, self._user, self._key, model, method, places, given]
        return await self._rpc("object", "execute_kw", what)

    async def _rpc(self, service: str, method: str, args: Sequence[Any]) -> Any:
        params = {"service": service, "method": method, "args": args}
        call = {"jsonrpc": "2.0", "method": "call", "params": params, "id": 1}
        answer = await self._http.ask("POST", "jsonrpc", json=call)
        if not isinstance(answer.body, dict):
            raise ReceiverUnavailable(AnswerCode.NOT_ITS_API, system="Odoo")
        if answer.body.get("error"):
            raise _trouble(member(answer.body["error"], "data"))
        return answer.body.get("result")


def linked(row: Row, name: str) -> Any:
    """The id of a linked record, which Odoo writes as [id, name], or as False without one."""
    value = row.get(name)
    if isinstance(value, list) and value:
        return value[0]
    return value


def _field(name: str, row: Row) -> Field:
    """A field; required fields that are not custom have defaults."""
    options = sequence(row.get("selection"))
    pairs = [option for option in options if isinstance(option, list)]
    return tools.a_field(
        name,
        row.get("string"),
        _TYPES.get(str(row.get("type"))),
        [(pair[-1], pair[0]) for pair in pairs if pair],
        row.get("size"),
        required=name.startswith("x_") and row.get("required") is True,
        writable=row.get("readonly") is not True,
    )


def _trouble(error: Any) -> ReceiverUnavailable | Refused:
    """The error for an exception in Odoo."""
    details = mapping(error)
    name, reason = str(details.get("name")).rpartition(".")[2], str(details.get("message"))
    if name in _NO_RIGHT:
        return ReceiverUnavailable(OdooCode.ODOO_NO_RIGHT, pause=NO_RIGHT, detail=reason)
    if name == "MissingError":
        return Missing(AnswerCode.REQUEST_REFUSED, request="Odoo", detail=reason)
    if name in _REFUSALS:
        return Refused(AnswerCode.REQUEST_REFUSED, request="Odoo", detail=reason)
    return ReceiverUnavailable(AnswerCode.REQUEST_FAILED, request="Odoo", detail=reason)
