"""Mailboxes and mail in the store."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from router.domain.mail import Mail, Mailbox
from router.domain.visitors.visit import Visit
from router.store import tables
from router.store.direct import AnyConnection
from router.store.records import from_any_row, from_rows, from_rows_by

_mail, _mailbox, _visit, _visitor = tables.mail, tables.mailbox, tables.visit, tables.visitor

_DUE = select(_mailbox.c.site_id, _mailbox.c.due_at)
_LOCKED = select(_mailbox).where(_mailbox.c.site_id == bindparam("site")).with_for_update()
_KNOWN = select(_mail.c.message_id).where(
    _mail.c.site_id == bindparam("site"), _mail.c.message_id.in_(bindparam("ids", expanding=True))
)
_CODED = (
    select(_visit)
    .join(_visitor, _visitor.c.id == _visit.c.visitor_id)
    .where(
        _visitor.c.site_id == bindparam("site"),
        _visit.c.code.in_(bindparam("codes", expanding=True)),
    )
    .order_by(_visit.c.started_at)
)


@dataclass(frozen=True, slots=True)
class SqlMails:
    """The `Mails` of `router.service.ports`."""

    connection: AnyConnection

    async def lock_mailbox(self, site_id: str) -> Mailbox | None:
        """A site's mailbox, locked until the transaction ends."""
        row = (await self.connection.execute(_LOCKED, {"site": site_id})).first()
        return from_any_row(Mailbox, row)

    async def mailboxes_due(self) -> dict[str, datetime]:
        """Next poll of each site's mailbox."""
        return {row[0]: row[1] for row in await self.connection.execute(_DUE)}

    async def known_messages(self, site_id: str, message_ids: Collection[str]) -> set[str]:
        """Those of these messages that were read before."""
        rows = await self.connection.execute(_KNOWN, {"site": site_id, "ids": list(message_ids)})
        return {row[0] for row in rows}

    async def coded_visits(self, site_id: str, codes: Collection[str]) -> dict[str, Visit]:
        """The site's visits with these promo codes, by code; of several with one code the last."""
        rows = await self.connection.execute(_CODED, {"site": site_id, "codes": list(codes)})
        return from_rows_by("code", Visit, rows)

    async def find(
        self,
        *,
        site_id: str | None = None,
        visitor_id: str | None = None,
        before: datetime | None = None,
        limit: int = 50,
    ) -> list[Mail]:
        """Mail of a site or a visitor or all, the newest first."""
        query: Any = select(_mail).order_by(_mail.c.arrived_at.desc(), _mail.c.id).limit(limit)
        if site_id:
            query = query.where(_mail.c.site_id == site_id)
        if visitor_id:
            query = query.where(_mail.c.visitor_id == visitor_id)
        if before:
            query = query.where(_mail.c.arrived_at < before)
        return from_rows(Mail, await self.connection.execute(query))
