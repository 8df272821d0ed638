"""What an amoCRM account holds, as its API and its people change it: entities, links, notes,
unsorted calls.
"""

import itertools
import re
from typing import Any

from tests.contracts.amocrm_models import ENTITIES, Row, invalid
from tests.support.builders import NOON

STATISTICS = ("utm_source", "utm_medium", "utm_campaign", "_ym_uid", "gclientid", "gclid", "yclid")
PIPELINE, FIRST_STATUS, WON, LOST, UNSORTED = 31, 3101, 142, 143, 3100
LONGEST = 256
PEOPLE = {"contacts": "contact_id", "companies": "company_id"}


class AmoBook:
    """Everything in one account; `now` is its clock, in Unix seconds."""

    def __init__(self) -> None:
        self.now = int(NOON.timestamp())
        self.search_lags = False
        self.entities: dict[str, dict[int, Row]] = {path: {} for path in ENTITIES}
        self.notes: dict[str, list[Row]] = {path: [] for path in ENTITIES}
        self.unsorted: list[Row] = []
        self.tasks: list[Row] = []
        self.users: dict[int, bool] = {
            7: True,
            77: True,
        }  # number → whether the user still works there
        self.fields: dict[str, list[Row]] = {path: [] for path in ENTITIES}
        self._ids = itertools.count(1001)
        self._unread: set[int] = set()
        for name in STATISTICS:
            self.add_field("leads", type="tracking_data", name=name, code=name.upper())
        for path in PEOPLE:
            self.add_field(path, type="multitext", name="Телефон", code="PHONE")

    def those(self, path: str) -> list[Row]:
        """Entities, the unsorted ones' included."""
        return list(self.entities[path].values())

    def value(self, path: str, id_: str | int, code: str) -> str | None:
        for value in self.entities[path][int(id_)]["custom_fields_values"] or ():
            if code.upper() in {value["field_code"], value["field_name"].upper()}:
                return value["values"][0]["value"]
        return None

    def add_field(self, path: str, **row: Any) -> int:
        row = {
            "id": next(self._ids),
            "entity_type": path,
            "is_api_only": False,
            "code": None,
            **row,
        }
        self.fields[path].append(row)
        return row["id"]

    def accept(self, item: Row) -> None:
        """A person takes a lead out of the unsorted ones."""
        self.unsorted.remove(item)
        for path in ENTITIES:
            for entity in item["_embedded"][path]:
                self.entities[path][entity["id"]].update(status_id=FIRST_STATUS, unsorted=False)

    def search(self, path: str, query: str) -> list[Row]:
        """What search has read by now."""
        return [
            row for row in self.those(path) if row["id"] not in self._unread and _holds(row, query)
        ]

    def number(self) -> int:
        """One that nothing has."""
        return next(self._ids)

    def put(self, path: str, **row: Any) -> Row:
        """A new entity, made by the user who asks."""
        row.pop("request_id", None)
        given = self.values(path, row.get("custom_fields_values") or [])
        linked = {name: [] for name in ("tags", "companies", "contacts", "leads")} | row.pop(
            "_embedded", {}
        )
        stamps = {
            "created_at": self.now,
            "updated_at": self.now,
            "is_deleted": False,
            "created_by": 7,
            "responsible_user_id": 7,
        }
        if self.users.get(row.get("responsible_user_id", 7)) is not True:
            detail = "The value you selected is not a valid choice."
            raise invalid("responsible_user_id", "NotSupportedChoice", detail)
        place = {"status_id": FIRST_STATUS, "pipeline_id": PIPELINE} if path == "leads" else {}
        if path == "leads" and row.get("status_id", FIRST_STATUS) not in {
            FIRST_STATUS,
            WON,
            LOST,
            UNSORTED,
        }:
            raise invalid(
                "status_id", "NotSupportedChoice", "The value you selected is not a valid choice."
            )
        whole = {
            **place,
            **stamps,
            **row,
            "id": next(self._ids),
            "custom_fields_values": given,
            "_embedded": linked,
        }
        for name in ("contacts", "companies"):
            for link in linked[name] if path == "leads" else ():
                self.join(whole, path, self.known(name, link["id"]), name)
        self.entities[path][whole["id"]] = whole
        if self.search_lags:
            self._unread.add(whole["id"])
        return whole

    def known(self, path: str, id_: int) -> Row:
        if id_ not in self.entities[path]:
            raise invalid(f"_embedded.{path}.0.id", "NotFound", "The entity does not exist.")
        return self.entities[path][id_]

    def join(self, one: Row, path: str, other: Row, other_path: str) -> None:
        for here, there, name in ((one, other, other_path), (other, one, path)):
            if there["id"] not in {link["id"] for link in here["_embedded"][name]}:
                here["_embedded"][name].append({"id": there["id"]})

    def values(self, path: str, given: list[Row]) -> list[Row]:
        stored = []
        for at, value in enumerate(given):
            by, known = "field_id" if "field_id" in value else "field_code", self.fields[path]
            field = next(
                (field for field in known if value.get(by) in {field["id"], field["code"]}), None
            )
            if field is None:
                detail = "The value you selected is not a valid choice."
                raise invalid(f"custom_fields_values.{at}.{by}", "NotSupportedChoice", detail)
            if any(
                not isinstance(each.get("value"), str) for each in value.get("values", [{}]) or ()
            ):
                raise invalid(
                    f"custom_fields_values.{at}.values.0.value",
                    "InvalidType",
                    "It should be a string.",
                )
            for each in value.get("values") or ():
                check_value(field, each["value"], f"custom_fields_values.{at}.values.0.value")
            about = {
                "field_id": field["id"],
                "field_code": field["code"],
                "field_name": field["name"],
            }
            stored.append({**about, "field_type": field["type"], "values": value["values"]})
        return stored

    def log_call(self, row: Row) -> Row:
        """A telephony's call: on the one open lead, else on the contact or company that has the
        phone.
        """
        tail = re.sub(r"\D", "", row["phone"])[-8:]
        owners = [
            (path, entity)
            for path in PEOPLE
            for entity in self.those(path)
            if _has_phone(entity, tail)
        ]
        if not owners:
            raise invalid("0.phone", "EntityNotFound", "Entity not found")
        path, owner = owners[0]
        leads = [self.entities["leads"][link["id"]] for link in owner["_embedded"]["leads"]]
        still = [lead for lead in leads if lead["status_id"] not in {WON, LOST}]
        if len(still) == 1:
            path, owner = "leads", still[0]
        about = {
            "entity_id": owner["id"],
            "created_at": self.now,
            "updated_at": self.now,
            "id": self.number(),
        }
        note = {
            "note_type": f"call_{'in' if row['direction'] == 'inbound' else 'out'}",
            "params": row,
            **about,
        }
        self.notes[path].append(note)
        return {"id": note["id"], "entity_id": owner["id"], "entity_type": path}

    def user_rows(self) -> list[Row]:
        """Everybody who works there or did."""
        return [
            {"id": user, "name": f"User {user}", "rights": {"is_active": active}}
            for user, active in self.users.items()
        ]

    def tasks_on(self, asked: Any) -> list[Row]:
        """The tasks on the entities of a filter."""
        path, ids = asked["filter[entity_type]"], asked.getlist("filter[entity_id][]")
        mine = [row for row in self.tasks if row["entity_type"] == path]
        return [row for row in mine if str(row["entity_id"]) in ids]

    def add_task(self, row: Row) -> Row:
        """A task, which an active user has to do."""
        if missing := {"text", "complete_till"} - set(row):
            raise invalid(min(missing), "FieldMissing", "This field is missing.")
        self.known(row["entity_type"], row["entity_id"])
        user = row.get("responsible_user_id", 7)
        if self.users.get(user) is not True:
            raise invalid("responsible_user_id", "NotSupportedChoice", "No such user.")
        self.tasks.append({**row, "responsible_user_id": user, "id": self.number()})
        return self.tasks[-1]

    def take_call(self, row: Row) -> Row:
        """One call becomes an unsorted lead."""
        missing = {"source_name", "source_uid", "metadata"} - set(row) or (
            {"from", "phone", "called_at", "duration", "link", "service_code"}
            - set(row["metadata"])
        )
        if missing:
            raise invalid(", ".join(sorted(missing)), "FieldMissing", "This field is missing.")
        same = (row["source_uid"], row["metadata"].get("uniq"))
        if any(
            (item["source_uid"], item["metadata"].get("uniq")) == same for item in self.unsorted
        ):
            raise invalid("0", "AlreadyExists", "This entity is among the unsorted ones already.")
        inside: dict[str, list[Row]] = {path: [] for path in ENTITIES}
        for path in PEOPLE:
            for linked in row.get("_embedded", {}).get(path, []):
                known = (
                    self.known(path, linked["id"])
                    if "id" in linked
                    else self.put(path, **linked, unsorted=True)
                )
                inside[path].append({"id": known["id"]})
        for given in row.get("_embedded", {}).get("leads") or [{"name": "Звонок"}]:
            links = {path: inside[path] for path in PEOPLE}
            lead = self.put(
                "leads", **{**given, "_embedded": links}, status_id=UNSORTED, unsorted=True
            )
            inside["leads"].append({"id": lead["id"]})
        said = {
            name: value for name, value in row["metadata"].items() if name != "is_call_event_needed"
        }
        about = {
            "uid": f"{next(self._ids):040x}",
            "category": "sip",
            "created_at": self.now,
            "updated_at": self.now,
        }
        item = {**about, "source_uid": row["source_uid"], "metadata": said, "_embedded": inside}
        self.unsorted.append(item)
        return item


def check_value(field: Row, value: str, path: str) -> None:
    """A list takes its options alone; a short text is short."""
    options = [enum["value"] for enum in field.get("enums") or ()]
    if options and value not in options:
        detail = "The value you selected is not a valid choice."
        raise invalid(path, "NotSupportedChoice", detail)
    if field["type"] == "text" and len(value) > LONGEST:
        raise invalid(path, "TooLong", f"This value should have {LONGEST} characters or less.")


def _has_phone(row: Row, tail: str) -> bool:
    phones = [value for value in row["custom_fields_values"] if value["field_code"] == "PHONE"]
    return any(
        re.sub(r"\D", "", each["value"]).endswith(tail)
        for phone in phones
        for each in phone["values"]
    )


def _holds(row: Row, query: str) -> bool:
    digits = re.sub(r"\D", "", query)
    texts = [row["name"]]
    for value in row["custom_fields_values"]:
        texts += [each["value"] for each in value["values"]]
        if value["field_code"] == "PHONE" and digits:
            texts += (
                [query]
                if any(digits in re.sub(r"\D", "", each["value"]) for each in value["values"])
                else []
            )
    return any(query.lower() in text.lower() for text in texts)
