"""RetailCRM's telephony and web analytics: uploads of calls and of client IDs."""

from tests.contracts.retailcrm_asked import Asked, Failure, Row, Violation
from tests.contracts.retailcrm_forms import (
    CALL,
    CLIENT_ID,
)
from tests.contracts.retailcrm_references import References


class Telephony(References):
    """The part of an account that hears of calls and client IDs."""

    def empty(self) -> None:
        """As on the first day."""
        super().empty()
        self.telephony, self.refuse_client_ids = True, False
        self.calls: dict[str, Row] = {}
        self.client_ids: list[Row] = []

    def _manager(self, asked: Asked) -> Row:
        phone = asked.take("phone")
        for name in ("details", "ignoreStatus"):
            if asked.take(name, "1") not in {"0", "1", "True", "False"}:
                raise Violation(
                    400, "Errors in the input parameters", {name: "This value is not valid."}
                )
        if not self.telephony:
            raise Failure(400, "Telephony not enabled")
        for row in self.rows["customers"].values():
            if any(
                _last_digits(entry["number"]) == _last_digits(phone)
                for entry in row.get("phones", [])
            ):
                shown = {
                    name: row[name]
                    for name in ("id", "externalId", "firstName", "phones")
                    if name in row
                }
                return {"customer": shown, "links": {"customerLink": f"/customers/{row['id']}"}}
        return {"links": {"newCustomerLink": f"/customers/add?phone={phone}"}}

    def _upload_calls(self, asked: Asked) -> Row:
        calls = asked.form("calls", [CALL])
        if not self.telephony:
            raise Failure(400, "Telephony not enabled")
        for call in calls:
            if missing := {"date", "type", "phone", "result", "externalId"} - {
                name for name in call if call[name]
            }:
                raise Violation(
                    400,
                    "Errors in the entity format",
                    dict.fromkeys(missing, "It should not be blank."),
                )
            if call["result"] not in {
                "answered",
                "busy",
                "failed",
                "no answer",
                "not allowed",
                "unknown",
            }:
                raise Violation(
                    400, "Errors in the entity format", {"result": "It is not a valid choice."}
                )
        known = [call["externalId"] for call in calls if call["externalId"] in self.calls]
        self.calls |= {
            call["externalId"]: call for call in calls if call["externalId"] not in self.calls
        }
        return {"processedCallsCount": len(calls) - len(known), "duplicateCalls": known}

    def _upload_client_ids(self, asked: Asked) -> Row:
        failed = []
        for given in asked.form("clientIds", [CLIENT_ID]):
            site = given.get("site") or self.opens[0]
            try:
                if self.refuse_client_ids:
                    raise Failure(400, "refused")
                self._may(site)
                for name, kind in (("order", "orders"), ("customer", "customers")):
                    if name in given:
                        self._related(given[name], site, kind)
                self.client_ids.append(given)
            except Failure:
                failed.append(given)
        if failed:
            raise Failure(460, "ClientIds are loaded with errors", failedClientIds=failed)
        return {}


def _last_digits(phone: str) -> str:
    return "".join(c for c in phone if c.isdigit())[-10:]
