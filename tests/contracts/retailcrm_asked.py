"""How RetailCRM reads a request, and how it refuses one."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.contracts.retailcrm_forms import wrong

Row = dict[str, Any]


class Failure(Exception):
    """An answer that says what is wrong."""

    def __init__(
        self, status: int, message: str, errors: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        self.status, self.body = status, {"success": False, "errorMsg": message, **more}
        if errors:
            self.body["errors"] = errors


class Violation(Failure):
    """The real one would not understand it, or do something else than was meant."""


class Asked:
    """One request, parsed: its parameters, of which each must be used."""

    def __init__(self, values: list[tuple[str, str]], path: Mapping[str, str]) -> None:
        self.path, self.lists = path, {}
        for name, value in values:
            self.lists.setdefault(name, []).append(value)

    def take(self, name: str, default: str | None = None) -> str:
        values = self.lists.pop(name, None if default is None else [default])
        if values is None:
            raise Violation(400, f"Parameter '{name}' is missing")
        if len(values) != 1:
            raise Violation(400, f"Parameter '{name}' stands there {len(values)} times")
        return values[0]

    def number(self, name: str, default: str) -> int:
        value = self.take(name, default)
        if not value.isdigit():
            raise Violation(
                400, "Errors in the input parameters", {name: "This value is not valid."}
            )
        return int(value)

    def form(self, name: str, form: Any) -> Any:
        """A field that holds JSON of this form."""
        try:
            value = json.loads(self.take(name))
        except ValueError as error:
            raise Violation(400, f"Parameter '{name}' is no JSON") from error
        if errors := wrong(value, form, name):
            raise Violation(400, "Errors in the entity format", errors)
        return value

    def filters(self, known: set[str]) -> dict[str, list[str]]:
        """By name, those of several values as `name[]`."""
        found = {}
        for name in [name for name in self.lists if name.startswith("filter[")]:
            match = re.fullmatch(r"filter\[(\w+)\](\[\])?", name)
            key = match[1] + (match[2] or "") if match else name
            if key not in known:
                raise Violation(
                    400,
                    "Errors in the input parameters",
                    {name: "This form should not contain it."},
                )
            found[key] = self.lists.pop(name)
        return found

    def page(self, found: list[Row]) -> tuple[list[Row], Row]:
        limit, page = self.number("limit", "20"), self.number("page", "1")
        if limit not in {20, 50, 100} or page < 1:
            raise Violation(
                400, "Errors in the input parameters", {"limit": "The value is not a valid choice."}
            )
        pages = -(-len(found) // limit)
        shown = {
            "limit": limit,
            "totalCount": len(found),
            "currentPage": page,
            "totalPageCount": pages,
        }
        return found[(page - 1) * limit : page * limit], {"pagination": shown}
