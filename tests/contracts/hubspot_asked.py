"""How HubSpot reads a request, and shows what it is asked for."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from tests.contracts.hubspot_objects import STAGES, Account, Refusal


def pipeline_of(name: str) -> dict[str, Any]:
    stages = [{"id": stage, "label": stage, "archived": False} for stage in STAGES[name]]
    return {"id": name, "label": name, "archived": False, "stages": stages}


def dated(path: list[str]) -> list[str]:
    """The path with `dated` for the version, from `crm/objects/2026-03/…` and from
    `crm/v3/objects/…` alike.
    """
    match path:
        case ["crm", "v3" | "v4", name, *rest]:
            return ["crm", name, "dated", *rest]
        case ["crm", name, "2026-03" | "2026-09", *rest]:
            return ["crm", name, "dated", *rest]
    return path


def missing_of(said: str, **context: Any) -> dict[str, Any]:
    return {"status": "error", "category": "OBJECT_NOT_FOUND", "message": said, "context": context}


def shown_property(known: dict[str, Any]) -> dict[str, Any]:
    plain = {
        "label": known["name"],
        "type": "string",
        "fieldType": "text",
        "groupName": "",
        "description": "",
    }
    return {**plain, "options": [], **known}


def only(given: Mapping[str, Any], allowed: set[str], needed: set[str] | None = None) -> None:
    if not isinstance(given, Mapping) or set(given) - allowed or (needed or set()) - set(given):
        raise Refusal(
            400, "VALIDATION_ERROR", f"Invalid input JSON: {given} should have {sorted(allowed)}"
        )


async def body_of(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if request.method in {"GET", "PUT"} and raw not in (b"", b"null"):
        raise Refusal(400, "VALIDATION_ERROR", "this request has no body")
    if not raw or request.method in {"GET", "PUT"}:
        return {}
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Refusal(415, "VALIDATION_ERROR", "the body has to be application/json")
    try:
        return dict(await request.json())
    except (TypeError, ValueError) as error:
        raise Refusal(400, "VALIDATION_ERROR", "Invalid input JSON") from error


def owner_of(account: Account, key: str, archived: str) -> dict[str, Any]:
    """An owner, who is archived or not as was asked. Raises `Refusal`."""
    known = account.owners.get(key)
    if known is None or str(known).lower() != archived:
        raise Refusal(404, "OBJECT_NOT_FOUND", f"There is no owner {key}")
    return {"id": key, "email": f"{key}@example.com", "archived": known}
