"""Polls the sites' mailboxes: mail to a visitor's or a channel's address is attributed like a call.

A message, its deliveries and the position in the mailbox are written in one transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from router.domain.backoff import backoff
from router.domain.delivery.delivery import Delivery, DeliveryKind, Webhook, new_delivery
from router.domain.delivery.outcome import Outcome
from router.domain.delivery.payload import mail_body
from router.domain.ids import new_id
from router.domain.mail import (
    Mail,
    Mailbox,
    MailChannel,
    MessageHeaders,
    addressed,
    is_own,
    judge_mail,
    read_headers,
)
from router.domain.mail_codes import MailCode
from router.domain.text import storable
from router.domain.visitors.promo_codes import read_code
from router.domain.visitors.site import Site
from router.domain.visitors.visit import Visit, Visitor
from router.errors import Unavailable
from router.service.calls.ports import RejectedRow
from router.service.clock import Clock
from router.service.outages import Outages
from router.service.ports import Session, Store

log = structlog.get_logger()

CLAIM = timedelta(minutes=3)  # the claim of a dead worker expires after this
LONGEST_PAUSE = timedelta(minutes=15)  # between attempts at a mailbox that cannot be read


class MailboxUnavailable(Unavailable):
    """The mailbox cannot be read; it will be tried again."""

    def __init__(self, code: MailCode, **params: str | float) -> None:
        self.outcome = Outcome.of(code, **params)
        super().__init__(str(self.outcome))


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """One message: time of arrival and headers."""

    uid: int
    at: datetime
    head: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """New messages of a mailbox, oldest first, and the new position."""

    uidvalidity: int
    uid: int
    arrived: tuple[Arrived, ...] = ()
    more: bool = False


class MailClient(Protocol):
    """Reads mailboxes, and changes nothing in them. Raises `MailboxUnavailable`."""

    async def read(self, mailbox: Mailbox, password: str) -> Batch: ...
    async def count(self, mailbox: Mailbox, password: str) -> int: ...


class MailboxPoller:
    """Polls mailboxes that are due."""

    def __init__(
        self,
        store: Store,
        client: MailClient,
        password_of: Callable[[str], str | None],
        clock: Clock,
        pause: timedelta,
    ) -> None:
        self._store, self._client, self._password_of, self._clock = (
            store,
            client,
            password_of,
            clock,
        )
        self._pause = pause
        self._outages = Outages()

    async def collect(self, site_id: str) -> bool:
        """Poll a site's mailbox if it is due; returns whether more messages are waiting."""
        mailbox = await self._claim(site_id)
        if mailbox is None:
            return False
        try:
            batch = await self._client.read(
                mailbox, needed_password(self._password_of(site_id), site_id)
            )
        except MailboxUnavailable as error:
            self._outages.fell(f"mailbox_{site_id}", error.message)
            await self._put_off(mailbox, error.outcome)
            return False
        self._outages.back(f"mailbox_{site_id}")
        await self._keep(mailbox, batch)
        return batch.more

    async def _claim(self, site_id: str) -> Mailbox | None:
        """Claim the mailbox; the new `due_at` shows later that the claim is still ours."""
        async with self._store.write() as session:
            mailbox = await session.mails.lock_mailbox(site_id)
            now = self._clock()
            if mailbox is None or mailbox.due_at > now:
                return None
            claimed = replace(mailbox, due_at=now + CLAIM)
            await session.change(claimed)
        return claimed

    async def _put_off(self, mailbox: Mailbox, reason: Outcome) -> None:
        pause = backoff(mailbox.failures + 1, self._pause, LONGEST_PAUSE)
        due = self._clock() + max(pause, self._pause)
        async with self._store.write() as session:
            if await session.mails.lock_mailbox(mailbox.site_id) == mailbox:
                await session.change(
                    replace(mailbox, failures=mailbox.failures + 1, error=reason, due_at=due)
                )

    async def _keep(self, mailbox: Mailbox, batch: Batch) -> None:
        """Store the messages and the position."""
        now = self._clock()
        if batch.more:
            due = now
        else:
            due = now + self._pause

        cursor = replace(
            mailbox,
            uidvalidity=batch.uidvalidity,
            uid=batch.uid,
            failures=0,
            error=None,
            due_at=due,
        )
        async with self._store.write() as session:
            if await session.mails.lock_mailbox(mailbox.site_id) != mailbox:
                return  # it was changed, or another worker claimed it and reads this again
            site = await session.get(Site, mailbox.site_id)
            recent = [message for message in batch.arrived if message.at >= mailbox.since]
            mails = await _learn(session, site, recent)
            await session.change(cursor)
            await session.deliveries.add(await _deliveries(session, mails, now))
        if mails:
            log.info(
                "mail_received",
                site=site.id,
                messages=len(mails),
                named=sum(m.visit_id is not None for m in mails),
            )


async def _learn(session: Session, site: Site, arrived: Sequence[Arrived]) -> list[Mail]:
    """Attribute and store new messages to the site's address."""
    messages, unreadable = _read_messages(site, arrived)
    await session.cel_log.set_aside(unreadable)
    known = await session.mails.known_messages(site.id, messages.keys())
    new = [facts for message_id, facts in messages.items() if message_id not in known]
    if not new:
        return []
    channels = {row.tag: row.channel for row in await session.find(MailChannel, site_id=site.id)}
    visits = await session.mails.coded_visits(
        site.id, {code for *_, tag in new if tag and (code := read_code(tag))}
    )
    mails = [_mail(site, *facts, channels, visits) for facts in new]
    await session.add(*mails)
    return mails


Facts = tuple[Arrived, MessageHeaders, str, str | None]


def _read_messages(
    site: Site, arrived: Sequence[Arrived]
) -> tuple[dict[str, Facts], list[RejectedRow]]:
    """Parse the messages to the site's address, by id; unreadable ones stop no other."""
    messages: dict[str, Facts] = {}
    unreadable: list[RejectedRow] = []
    for message in arrived:
        try:
            headers = read_headers(message.head)
            found = addressed(headers, site.mail)
            # a reply by the company is not a visitor's mail
            own = is_own(headers.sender, site.mail, site.origins)
        except Exception as error:
            log.exception("mail_set_aside", site=site.id, uid=message.uid)
            text = storable(message.head[:2000].decode("utf-8", "replace"))
            reason = f"this message cannot be read: {error!r}"[:300]
            unreadable.append(
                RejectedRow(
                    file=f"mailbox {site.id}",
                    offset=message.uid,
                    text=text,
                    reason=reason,
                    at=message.at,
                )
            )
            continue
        if found and not own:
            messages.setdefault(headers.message_id, (message, headers, *found))
    return messages, unreadable


def _mail(
    site: Site,
    arrived: Arrived,
    headers: MessageHeaders,
    address: str,
    tag: str | None,
    channels: Mapping[str, str],
    visits: Mapping[str, Visit],
) -> Mail:
    verdict, channel, visit = judge_mail(tag, channels, visits)
    visitor_id = visit_id = None
    if visit:
        visitor_id, visit_id = visit.visitor_id, visit.id

    return Mail(
        id=new_id(arrived.at),
        site_id=site.id,
        message_id=headers.message_id,
        sender=headers.sender,
        address=address,
        tag=tag,
        automatic=headers.automatic,
        arrived_at=arrived.at,
        verdict=verdict,
        visitor_id=visitor_id,
        visit_id=visit_id,
        channel=channel,
    )


async def _deliveries(session: Session, mails: Sequence[Mail], now: datetime) -> list[Delivery]:
    """Deliveries of messages written by people, without automatic ones."""
    mails = [mail for mail in mails if not mail.automatic]
    if not mails:
        return []
    webhooks = await session.find(Webhook, active=True)
    if not webhooks:
        return []
    visitors = await session.get_many(
        Visitor, {mail.visitor_id for mail in mails if mail.visitor_id}
    )
    visits = await session.get_many(Visit, {mail.visit_id for mail in mails if mail.visit_id})
    deliveries = []
    for mail in mails:
        body = mail_body(mail, visitors.get(mail.visitor_id or ""), visits.get(mail.visit_id or ""))
        for webhook in webhooks:
            if webhook.site_id in {None, mail.site_id}:
                kind = DeliveryKind.MAIL_RECEIVED
                deliveries.append(
                    new_delivery(webhook, kind, mail.id, body, id=new_id(now), now=now)
                )
    return deliveries


def needed_password(password: str | None, site_id: str) -> str:
    if password is None:
        raise MailboxUnavailable(MailCode.MAIL_NO_PASSWORD, site=site_id)
    return password
