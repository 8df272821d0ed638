"""Sets up the sites' mailboxes and the channels that have an address; lists mail."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from router.domain.mail import (
    Mail,
    Mailbox,
    MailChannel,
)
from router.domain.visitors.site import Site
from router.errors import Conflict, NotFound
from router.service.mail import MailClient, needed_password
from router.service.ports import Store


async def connect_mailbox(
    store: Store, client: MailClient, mailbox: Mailbox, password: str, keep: Callable[[], None]
) -> int:
    """Store a site's mailbox if it can be read; returns the number of messages. `keep` stores the
    password.

    Raises `NotFound` for an unknown site, `Conflict` for one without an address,
    `MailboxUnavailable`.
    """
    async with store.read() as session:
        site = await session.get(Site, mailbox.site_id)
    if not site.mail:
        raise Conflict(f"The site '{site.id}' has no mail address: set one first.")
    count = await client.count(mailbox, password)
    keep()
    async with store.write() as session:
        known = await session.mails.lock_mailbox(mailbox.site_id)
        if known is None:
            await session.add(mailbox)
        else:
            await session.change(_moved(known, mailbox))
            session.configuration.note_secret(mailbox, "password")
    return count


def _moved(known: Mailbox, wanted: Mailbox) -> Mailbox:
    """The mailbox connected again: the same one continues at its position."""
    same = (known.host, known.user, known.folder) == (wanted.host, wanted.user, wanted.folder)
    if not same:
        return wanted
    return replace(wanted, since=known.since, uidvalidity=known.uidvalidity, uid=known.uid)


async def check_mailbox(
    store: Store, client: MailClient, site_id: str, password: str | None
) -> tuple[Mailbox, int]:
    """Test a site's mailbox; returns it and its number of messages. Raises `MailboxUnavailable`."""
    async with store.read() as session:
        mailbox = await session.get(Mailbox, site_id)
    return mailbox, await client.count(mailbox, needed_password(password, site_id))


async def disconnect_mailbox(store: Store, site_id: str) -> None:
    """Disconnect a site's mailbox; stored messages stay. Raises `NotFound`."""
    async with store.write() as session:
        await session.remove(Mailbox, site_id)


async def list_mails(
    store: Store, *, site_id: str | None = None, before: datetime | None = None, limit: int = 50
) -> list[Mail]:
    """Mail, newest first."""
    async with store.read() as session:
        return await session.mails.find(site_id=site_id, before=before, limit=limit)


async def add_channel(store: Store, channel: MailChannel) -> MailChannel:
    """Assign an address to a channel. Raises `NotFound` for an unknown site, `Conflict` for a tag
    in use.
    """
    async with store.write() as session:
        await session.get(Site, channel.site_id)
        if await session.find(MailChannel, site_id=channel.site_id, tag=channel.tag):
            raise Conflict(
                f"The tag '{channel.tag}' already belongs to a channel of '{channel.site_id}'."
            )
        await session.add(channel)
    return channel


async def list_channels(store: Store, site_id: str | None = None) -> list[MailChannel]:
    """The channels that have an address, of a site or of all."""
    async with store.read() as session:
        if site_id:
            return await session.find(MailChannel, site_id=site_id)
        return await session.find(MailChannel)


async def remove_channel(store: Store, site_id: str, tag: str) -> None:
    """Remove the address of a channel. Raises `NotFound`."""
    async with store.write() as session:
        found = await session.find(MailChannel, site_id=site_id, tag=tag)
        if not found:
            raise NotFound(f"No channel of '{tag}' has the tag '{site_id}'.")
        await session.remove(MailChannel, found[0].id)
