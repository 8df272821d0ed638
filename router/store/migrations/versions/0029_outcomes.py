"""What came of deliveries, receivers and recordings as codes; older sentences become `text`."""

import re
from typing import Any

import sqlalchemy as sa
from alembic import op

from router.store.tables.columns import JsonOrNull

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_COLUMNS = (("delivery", "last_error"), ("delivery", "receipt"), ("account", "reason"))
_GOOGLE = re.compile(r"request (\S+): (\d{1,9}) conversions(?:; record (\d{1,9}))?")
_FLAW = {
    "sqlite": "(SELECT json_group_array({}) FROM json_each(recording.warnings))",
    "postgresql": "(SELECT jsonb_agg({}) FROM jsonb_array_elements(warnings) AS one(value))",
}


def upgrade() -> None:
    """Sentences become outcomes."""
    sqlite = op.get_context().dialect.name == "sqlite"
    made = "json_object" if sqlite else "jsonb_build_object"
    for table, name in _COLUMNS:
        _replace(table, name, JsonOrNull, f"{made}('code', 'text', 'params', {made}('text', old))")

    text = "value" if sqlite else "value #>> '{}'"
    _warnings(f"{made}('code', 'text', 'params', {made}('text', {text}))")
    _keep_requests()


def downgrade() -> None:
    """Outcomes become text: the sentences of `text`, and of others the code and its detail."""
    sqlite = op.get_context().dialect.name == "sqlite"
    requests = _requests()
    for table, name in _COLUMNS:
        _replace(table, name, sa.Text(), _in_words("old", sqlite))
    words = _in_words("value", sqlite)
    _warnings(words if sqlite else f"to_jsonb({words})")
    for key, receipt in requests.items():
        _write(key, receipt, sa.Text())


def _replace(table: str, name: str, kind: Any, value: str) -> None:
    op.execute(f"ALTER TABLE {table} RENAME COLUMN {name} TO old")
    op.add_column(table, sa.Column(name, kind))
    op.execute(f"UPDATE {table} SET {name} = {value} WHERE old IS NOT NULL")  # noqa: S608
    op.drop_column(table, "old")


def _warnings(value: str) -> None:
    of_each = _FLAW[op.get_context().dialect.name].format(value)
    some = f"CAST(warnings AS {'TEXT' if 'json_each' in of_each else 'VARCHAR'}) <> '[]'"
    op.execute(f"UPDATE recording SET warnings = {of_each} WHERE {some}")  # noqa: S608


def _in_words(column: str, sqlite: bool) -> str:
    def part(path: str) -> str:
        if sqlite:
            return f"json_extract({column}, '$.{path}')"
        return f"{column} #>> '{{{path.replace('.', ',')}}}'"

    coded = f"{part('code')} || coalesce(': ' || ({part('params.detail')}), '')"
    return f"coalesce({part('params.text')}, {coded})"


def _keep_requests() -> None:
    """Google is asked what came of a request that it took: by the request's id."""
    for key, receipt in _pending():
        if found := _GOOGLE.fullmatch(receipt.get("params", {}).get("text", "")):
            params = {"request": found[1], "count": int(found[2])}
            place = [{"code": "record", "params": {"place": int(found[3])}}] if found[3] else []
            outcome = {"code": "google_request", "params": params, "also": place}
            _write(key, outcome, JsonOrNull)


def _requests() -> dict[str, str]:
    found = {}
    for key, receipt in _pending():
        if receipt["code"] == "google_request":
            asked, also = receipt["params"], receipt.get("also", ())
            places = [one["params"]["place"] for one in also if one["code"] == "record"]
            place = f"; record {places[0]}" if places else ""
            found[key] = f"request {asked['request']}: {asked['count']} conversions{place}"
    return found


def _pending() -> list[tuple[str, dict[str, Any]]]:
    rows = sa.table(
        "delivery", sa.column("id"), sa.column("state"), sa.column("receipt", JsonOrNull)
    )
    waiting = sa.select(rows.c.id, rows.c.receipt).where(
        rows.c.state == "pending", rows.c.receipt.is_not(None)
    )
    return [(row.id, row.receipt) for row in op.get_bind().execute(waiting)]


def _write(key: str, receipt: Any, kind: Any) -> None:
    rows = sa.table("delivery", sa.column("id"), sa.column("receipt", kind))
    op.execute(rows.update().where(rows.c.id == key).values(receipt=receipt))
