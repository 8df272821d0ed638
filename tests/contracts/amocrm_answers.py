"""How amoCRM answers: rows in their envelopes, and refusals."""

from typing import Any

from starlette.responses import JSONResponse, Response

from tests.contracts.amocrm_models import Refusal, Row, invalid


def a_batch(body: Any, most: int = 250) -> list[Any]:
    if not isinstance(body, list) or not 1 <= len(body) <= most:
        raise invalid("", "InvalidType", f"This value should be an array of 1 to {most}.")
    return body


def public(row: Row, linked: set[str] | None = None) -> Row:
    """As it is shown: of a list's rows with those links alone that were asked for."""
    row = {
        name: value or None if name == "custom_fields_values" else value
        for name, value in row.items()
    }
    if linked is not None:
        row["_embedded"] = {
            name: links for name, links in row["_embedded"].items() if name in linked
        }
    return row


def shown(row: Row | None) -> Response:
    return Response(status_code=204) if row is None else hal(public(row))


def made_of(name: str, asked: list[Row], made: list[Row]) -> Response:
    said = [
        {
            **{key: row[key] for key in ("id", "uid", "_embedded") if key in row},
            "request_id": item.get("request_id", str(at)),
        }
        for at, (item, row) in enumerate(zip(asked, made, strict=True))
    ]
    return hal({"_links": {}, "_embedded": {name: said}})


def hal(body: Any) -> Response:
    return JSONResponse(body, media_type="application/hal+json")


def problem(refusal: Refusal) -> Response:
    body: Row = {
        "type": f"https://httpstatus.es/{refusal.status}",
        "title": refusal.title,
        "status": refusal.status,
    }
    body["detail"] = refusal.detail
    if refusal.code:
        error = {"code": refusal.code, "path": refusal.path, "detail": refusal.detail}
        body |= {
            "validation-errors": [{"request_id": "0", "errors": [error]}],
            "detail": "Request validation failed",
        }
    return JSONResponse(body, refusal.status, media_type="application/problem+json")
