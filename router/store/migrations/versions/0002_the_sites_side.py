"""What the site's side knows: pages, taps, forms, what was shown instead of a number, and who may have called."""

import sqlalchemy as sa
from alembic import op

from router.store import tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_KEY, _E164, _MOMENT = sa.String(40), sa.String(20), tables.Moment(timezone=True)
_INDEXES = {  # of new tables
    "page_view": [["visit_id"]],
    "tap": [["visit_id"], ["number", "at"]],
    "form": [["phone", "at"]],
    "showing": [["pool_id", "at"]],
}


def _new() -> dict[str, list[sa.Column]]:  # type: ignore[type-arg]
    """The new tables; each row but a model belongs to a visit."""

    def of_visit(*columns: sa.Column, nullable: bool = False) -> list[sa.Column]:  # type: ignore[type-arg]
        ids = [sa.Column("id", _KEY, nullable=False), sa.Column("visit_id", _KEY, nullable=nullable)]
        return [*ids, *columns, sa.Column("at", _MOMENT, nullable=False)]

    return {
        "page_view": of_visit(sa.Column("path", sa.Text(), nullable=False)),
        "tap": of_visit(sa.Column("number", _E164, nullable=False)),
        "form": of_visit(sa.Column("phone", _E164, nullable=False)),
        "showing": of_visit(
            sa.Column("pool_id", _KEY, nullable=False),
            sa.Column("rung", sa.String(10), nullable=False),
            sa.Column("reason", sa.String(12), nullable=False),
            sa.Column("number", _E164),
            nullable=True,
        ),
        "model": [
            sa.Column("site_id", _KEY, nullable=False),
            sa.Column("learned_at", _MOMENT, nullable=False),
            sa.Column("calls", sa.Integer(), nullable=False),
            sa.Column("values", tables.Json, nullable=False),
        ],
    }


def _columns() -> dict[str, list[sa.Column]]:  # type: ignore[type-arg]
    """The new columns of older tables, with what older rows get."""
    text, empty, no, yes = sa.Text(), sa.text("'[]'"), sa.false(), sa.text("''")
    return {
        "site": [
            sa.Column("exclude", text, nullable=False, server_default=yes),
            sa.Column("contacts", text, nullable=False, server_default=yes),
            sa.Column("consent", sa.Boolean(), nullable=False, server_default=no),
            sa.Column("certainty", sa.Float(), nullable=False, server_default=sa.text("0.5")),
            sa.Column("source_rules", tables.Json, nullable=False, server_default=empty),
            sa.Column("mail", text, nullable=False, server_default=yes),
        ],
        "pool": [
            sa.Column("replaces", tables.Json, nullable=False, server_default=empty),
            sa.Column("selector", text, nullable=False, server_default=yes),
            sa.Column("on_request", sa.Boolean(), nullable=False, server_default=no),
            sa.Column("regions", tables.Json, nullable=False, server_default=empty),
            sa.Column("free_after_call", sa.Boolean(), nullable=False, server_default=no),
            sa.Column("leases_per_hour", sa.Integer()),
        ],
        "number": [sa.Column("strays", sa.Integer(), nullable=False, server_default=sa.text("0"))],
        "visit": [
            sa.Column("seen_at", tables.Moment(timezone=True)),
            sa.Column("channel", text),
            sa.Column("ga_session_id", sa.String(64)),
            sa.Column("code", sa.String(12)),
            sa.Column("device", sa.String(10)),
            sa.Column("browser", text),
            sa.Column("system", text),
            sa.Column("country", sa.String(2)),
            sa.Column("region", text),
            sa.Column("city", text),
            sa.Column("parameters", tables.Json, nullable=False, server_default=sa.text("'{}'")),
        ],
        "lease": [sa.Column("seen_at", tables.Moment(timezone=True))],
        "call": [
            sa.Column("probability", sa.Float()),
            sa.Column("suspects", tables.Json, nullable=False, server_default=empty),
            sa.Column("source", text),
            sa.Column("channel", text),
            sa.Column("code", sa.String(12)),
            sa.Column("caller_region", text),
            sa.Column("caller_operator", text),
        ],
    }


def _mail() -> dict[str, list[sa.sql.schema.SchemaItem]]:
    """Tables of mail: where it is read, what addresses stand for, what came."""
    key, text, moment = _KEY, sa.Text(), _MOMENT

    def of_site(table: str) -> list[sa.sql.schema.SchemaItem]:
        site = sa.Column("site_id", key, nullable=False)
        return [site, sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f(f"fk_{table}_site_id"))]

    return {
        "mailbox": [
            *of_site("mailbox"),
            sa.Column("host", text, nullable=False),
            sa.Column("port", sa.Integer(), nullable=False),
            sa.Column("security", sa.String(10), nullable=False),
            sa.Column("user", text, nullable=False),
            sa.Column("folder", text, nullable=False),
            sa.Column("since", moment, nullable=False),
            sa.Column("uidvalidity", sa.BigInteger()),
            sa.Column("uid", sa.BigInteger(), nullable=False),
            sa.Column("due_at", moment, nullable=False),
            sa.Column("failures", sa.Integer(), nullable=False),
            sa.Column("error", text),
            sa.PrimaryKeyConstraint("site_id", name=op.f("pk_mailbox")),
        ],
        "mail_channel": [
            sa.Column("id", key, nullable=False),
            *of_site("mail_channel"),
            sa.Column("tag", sa.String(32), nullable=False),
            sa.Column("channel", text, nullable=False),
            sa.Column("created_at", moment, nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_channel")),
        ],
        "mail": [
            sa.Column("id", key, nullable=False),
            sa.Column("site_id", key, nullable=False),
            sa.Column("message_id", text, nullable=False),
            sa.Column("sender", text),
            sa.Column("address", text, nullable=False),
            sa.Column("tag", text),
            sa.Column("automatic", sa.Boolean(), nullable=False),
            sa.Column("arrived_at", moment, nullable=False),
            sa.Column("verdict", sa.String(12), nullable=False),
            sa.Column("visitor_id", key),
            sa.Column("visit_id", key),
            sa.Column("channel", text),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        ],
    }


_MAIL_INDEXES = (
    ("mail_channel", ["site_id", "tag"], True),
    ("mail", ["site_id", "message_id"], True),
    ("mail", ["arrived_at", "id"], False),
    ("mail", ["visitor_id"], False),
)


def upgrade() -> None:
    for table, columns in _columns().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.add_column(column)
    op.execute("UPDATE lease SET seen_at = started_at")  # what nobody noted then
    for table, columns in _columns().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                if column.server_default is not None:
                    batch.alter_column(column.name, server_default=None)
            if table == "lease":
                batch.alter_column("seen_at", nullable=False)
                batch.create_index("ix_lease_pool_id_started_at", ["pool_id", "started_at"])
            if table == "visit":
                batch.create_index("ix_visit_code", ["code"])
    for table, columns in _new().items():
        key = sa.PrimaryKeyConstraint(columns[0].name, name=op.f(f"pk_{table}"))
        constraints: list[sa.Constraint] = [key]
        if table != "model":
            name = op.f(f"fk_{table}_visit_id")
            constraints.append(sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=name))
        op.create_table(table, *columns, *constraints)
        for names in _INDEXES.get(table, []):
            op.create_index(op.f(f"ix_{table}_{'_'.join(names)}"), table, names)
    for table, items in _mail().items():
        op.create_table(table, *items)
    for table, names, unique in _MAIL_INDEXES:
        op.create_index(op.f(f"ix_{table}_{'_'.join(names)}"), table, names, unique=unique)
    with op.batch_alter_table("delivery") as batch:
        batch.alter_column("call_id", existing_type=sa.String(64), nullable=True)  # what tells of mail has no call


def downgrade() -> None:
    op.execute("DELETE FROM delivery WHERE call_id IS NULL")
    with op.batch_alter_table("delivery") as batch:
        batch.alter_column("call_id", existing_type=sa.String(64), nullable=False)
    for table in _mail():
        op.drop_table(table)
    for table in _new():
        op.drop_table(table)
    for table, columns in _columns().items():
        with op.batch_alter_table(table) as batch:
            if table == "lease":
                batch.drop_index("ix_lease_pool_id_started_at")
            if table == "visit":
                batch.drop_index("ix_visit_code")
            for column in columns:
                batch.drop_column(column.name)
