"""What a RetailCRM account holds: orders, customers, companies, their history; and which of them
may be written.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.contracts.retailcrm_asked import Failure, Row, Violation

KINDS = {"orders": "order", "customers": "customer", "customers-corporate": "customerCorporate"}


class Books:
    """The entities of two shops, of which the key opens those in `opens`."""

    def __init__(self, clock: Callable[[], datetime], zone: str) -> None:
        self.clock, self.zone = clock, ZoneInfo(zone)
        self.empty()

    def empty(self) -> None:
        """As on the first day."""
        self.opens = ["shop", "outlet"]
        self.rows: dict[str, dict[int, Row]] = {path: {} for path in KINDS}
        self.history: dict[str, list[Row]] = {path: [] for path in KINDS}
        self.notes: dict[str, list[Row]] = {path: [] for path in KINDS}
        self.fields = {"order": {"ga_client_id"}, "customer": {"ga_client_id"}}
        # what is special about a field: type, required, dictionary
        self.described: dict[tuple[str, str], Row] = {}
        self.dictionaries: dict[str, dict[str, str]] = {}  # code → code of an element → its name
        self.methods = {"phone": True, "one-click": False}  # code → whether it is switched on
        self.tasks: list[Row] = []
        self.users = {27: True}  # number → whether the user still works there
        self._last = 100

    def add(self, kind: str, /, site: str = "shop", **values: Any) -> int:
        """Create an entity as another system or a person does; its id."""
        return self._save(kind, site, {**values})

    def _fits(self, row: Row, wanted: Mapping[str, list[str]]) -> bool:
        shown = self._shown(row)
        holders = [shown, shown.get("customer") or {}, shown.get("contact") or {}]
        texts = [
            holder.get(name, "")
            for holder in holders
            for name in ("phone", "firstName", "lastName")
        ]
        texts += [phone["number"] for holder in holders for phone in holder.get("phones", [])]
        looks: dict[str, Callable[[list[str]], bool]] = {
            "ids[]": lambda values: str(row["id"]) in values,
            "externalIds[]": lambda values: row.get("externalId") in values,
            "sites[]": lambda values: row["site"] in values,
            "customerId": lambda values: str((row.get("customer") or {}).get("id")) == values[0],
            "contactIds[]": lambda values: any(
                str(contact) in values for contact in row.get("_contacts", [])
            ),
            "customer": lambda values: any(values[0] in text for text in texts),
            "name": lambda values: any(values[0] in text for text in texts),
        }
        return all(looks[name](values) for name, values in wanted.items())

    def _check(self, kind: str, site: str, values: Row, own_id: int | None = None) -> None:
        entity = "order" if kind == "orders" else "customer"
        if unknown := set(values.get("customFields", {})) - self.fields[entity]:
            errors = {f"customFields.{code}": "There is no such custom field." for code in unknown}
            raise Failure(400, "Errors in the entity format", errors)
        self._check_fields(entity, values, new=own_id is None)
        if self.users.get(values.get("managerId", 27)) is not True:
            errors = {"managerId": "The user does not exist or is not active."}
            raise Failure(400, "Errors in the entity format", errors)
        if self.methods.get(values.get("orderMethod", "phone")) is not True:
            errors = {"orderMethod": "The order method does not exist or is switched off."}
            raise Failure(400, "Errors in the entity format", errors)
        same = [
            row
            for row in self.rows[kind].values()
            if row.get("externalId") == values.get("externalId", object())
        ]
        if any(row["site"] == site and row["id"] != own_id for row in same):
            raise Failure(
                400,
                f"{KINDS[kind].capitalize()} with externalId={values['externalId']} already "
                "exists.",
            )
        for name in ("customer", "contact"):
            if name in values:
                corporate = values[name].get("type") == "customer_corporate"
                self._related(
                    values[name], site, "customers-corporate" if corporate else "customers"
                )
        company, contact = values.get("customer", {}), values.get("contact")
        if contact and contact["id"] not in self.rows["customers-corporate"][company["id"]].get(
            "_contacts", []
        ):
            raise Failure(
                400, "Order is not loaded", {"contact": "The contact is not of this company."}
            )

    def _check_fields(self, entity: str, values: Row, *, new: bool) -> None:
        given = values.get("customFields", {})
        for (of, code), about in self.described.items():
            if of != entity:
                continue
            if new and about.get("required") and not given.get(code):
                errors = {f"customFields.{code}": "This value should not be blank."}
                raise Failure(400, "Errors in the entity format", errors)
            known = self.dictionaries.get(about.get("dictionary", ""))
            if known is not None and given.get(code) and given[code] not in known:
                errors = {f"customFields.{code}": "This value is not a valid choice."}
                raise Failure(400, "Errors in the entity format", errors)

    def _related(self, pointer: Row, site: str, kind: str) -> None:
        row = self.rows[kind].get(pointer.get("id", 0))
        if row is None or row["site"] != site:
            raise Failure(
                400,
                "Not loaded",
                {"customer.id": f"Customer with id={pointer.get('id')} not found."},
            )

    def _save(self, kind: str, site: str, values: Row) -> int:
        self._last += 1
        row = {
            "createdAt": self._now(),
            "customFields": {},
            **values,
            "id": self._last,
            "site": site,
        }
        if kind == "orders":
            row = {"status": "new", "number": f"{self._last}A", **row}
        self.rows[kind][self._last] = row
        self._remember(kind, row, created=True)
        return self._last

    def _remember(self, kind: str, row: Row, *, created: bool) -> None:
        entry = {
            "id": len(self.history[kind]) + 1,
            "createdAt": self._now(),
            "source": "api",
            "field": "status",
        }
        pointer = self._shown(row) if created else {"id": row["id"], "site": row["site"]}
        self.history[kind].append(
            entry | ({"created": True} if created else {}) | {KINDS[kind]: pointer}
        )

    def _shown(self, row: Row) -> Row:
        shown = {name: value for name, value in row.items() if not name.startswith("_")}
        for name in ("customer", "contact"):
            if name in row:
                kind = (
                    "customers-corporate"
                    if row[name].get("type") == "customer_corporate"
                    else "customers"
                )
                shown[name] = self._shown(self.rows[kind][row[name]["id"]])
        return shown | {"customFields": row["customFields"] or []}

    def _may(self, site: str) -> None:
        if site not in self.opens:
            raise Violation(403, "Access denied.")

    def _now(self) -> str:
        return self.clock().astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")
