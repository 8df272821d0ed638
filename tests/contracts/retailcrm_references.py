"""What a RetailCRM account says of itself: rights, fields, lists, order methods, users."""

from tests.contracts.retailcrm_asked import Asked, Failure, Row, Violation
from tests.contracts.retailcrm_books import Books
from tests.contracts.retailcrm_forms import FIELD, TASK

_SHARED = {"ids[]", "externalIds[]", "sites[]"}
FILTERS = {
    "orders": _SHARED | {"customer", "customerId"},
    "customers": _SHARED | {"name"},
    "customers-corporate": _SHARED | {"contactIds[]"},
}
STATUSES = {
    "new": "new",
    "send-to-delivery": "delivery",
    "complete": "complete",
    "no-call": "cancel",
}


class References(Books):
    """An account that can be asked what it has."""

    scopes: list[str]

    def _credentials(self, _: Asked) -> Row:
        return {
            "siteAccess": "access_selective",
            "sitesAvailable": self.opens,
            "scopes": self.scopes,
        }

    def _statuses(self, _: Asked) -> Row:
        return {
            "statuses": {
                code: {"code": code, "name": code, "group": group}
                for code, group in STATUSES.items()
            }
        }

    def _custom_fields(self, asked: Asked) -> Row:
        wanted = asked.filters({"entity", "code", "name"})
        found = [
            {"code": code, "entity": entity, "type": "string", "name": code}
            | self.described.get((entity, code), {})
            for entity, codes in self.fields.items()
            for code in sorted(codes)
        ]
        for name in wanted.keys() & {"entity", "code"}:
            found = [row for row in found if row[name] == wanted[name][0]]
        found, pages = asked.page(found)
        return {"customFields": found, **pages}

    def _list_dictionaries(self, asked: Asked) -> Row:
        found, pages = asked.page(
            [
                {"code": code, "name": code, "elements": _elements(elements)}
                for code, elements in self.dictionaries.items()
            ]
        )
        return {"customDictionaries": found, **pages}

    def _list_methods(self, _: Asked) -> Row:
        methods = self.methods.items()
        return {
            "orderMethods": {
                code: {"code": code, "name": code, "active": active} for code, active in methods
            }
        }

    def _get_user(self, asked: Asked) -> Row:
        user = int(asked.path["id"])
        if user not in self.users:
            raise Failure(404, "Not found")
        return {"user": {"id": user, "firstName": f"User {user}", "active": self.users[user]}}

    def _list_tasks(self, asked: Asked) -> Row:
        text = asked.filters({"text", "customer", "orderNumber"}).get("text", [""])[0]
        mine = [task for task in self.tasks if text in task["text"] + task["commentary"]]
        found, pages = asked.page(mine)
        return {"tasks": found, **pages}

    def _create_task(self, asked: Asked) -> Row:
        task, site = asked.form("task", TASK), asked.take("site", self.opens[0])
        if self.users.get(task.get("performerId", 0)) is not True:
            errors = {"performerId": "The user does not exist or is not active."}
            raise Failure(400, "Errors in the entity format", errors)
        for name, kind in (("order", "orders"), ("customer", "customers")):
            if name in task:
                self._related(task[name], site, kind)
        self._last += 1
        self.tasks.append({**task, "id": self._last})
        return {"id": self._last}

    def _create_field(self, asked: Asked) -> Row:
        field = asked.form("customField", FIELD)
        if missing := {"code", "name", "type"} - field.keys():
            raise Violation(
                400,
                "Errors in the entity format",
                dict.fromkeys(missing, "This value should not be blank."),
            )
        codes = self.fields[asked.path["entity"]]
        if field["code"] in codes:
            raise Failure(
                400, "Errors in the entity format", {"code": "This value is already used."}
            )
        codes.add(field["code"])
        return {"code": field["code"]}


def _elements(elements: Row) -> list[Row]:
    return [{"code": code, "name": name} for code, name in elements.items()]
