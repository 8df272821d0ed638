"""The only place that speaks IMAP: reads the headers of new messages, and changes nothing in the
mailbox.

A mailbox is opened with EXAMINE and read with BODY.PEEK, so no message becomes seen, and no more of
a message is asked for than who wrote it, when, to whom and whether a machine did. The client is
synchronous and runs in a thread of its own; who stops waiting for it cuts its connection, so that
no thread outlives its question.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, LoginError

from router.domain.mail import MARKS, RECIPIENTS, Mailbox, Security
from router.domain.mail_codes import MailCode
from router.domain.text import one_line
from router.service.mail import Arrived, Batch, MailboxUnavailable

AT_ONCE = 200  # messages in one batch
# of either part of a head: who writes to a thousand people writes to none of us
MOST_BYTES = 16_384
_MARKS = f"BODY.PEEK[HEADER.FIELDS ({' '.join(MARKS).upper()})]<0.{MOST_BYTES}>"
_RECIPIENTS = f"BODY.PEEK[HEADER.FIELDS ({' '.join(RECIPIENTS).upper()})]<0.{MOST_BYTES}>"

T = TypeVar("T")


class ImapClient:
    """The `MailClient` of `router.service.mail`; a whole conversation takes at most `seconds`."""

    def __init__(self, seconds: float = 90.0) -> None:
        self._seconds = seconds

    async def read(self, mailbox: Mailbox, password: str) -> Batch:
        """What is new since the mailbox's cursor."""
        return await self._talk(
            mailbox, password, lambda client, state: _read(client, state, mailbox)
        )

    async def count(self, mailbox: Mailbox, password: str) -> int:
        """How many messages there are, read or not."""
        return await self._talk(mailbox, password, lambda _, state: int(state.get(b"EXISTS", 0)))

    async def _talk(
        self, mailbox: Mailbox, password: str, ask: Callable[[IMAPClient, dict[bytes, Any]], T]
    ) -> T:
        line = _Line(mailbox, min(self._seconds, 20.0))
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.to_thread(line.talk, password, ask)
        except TimeoutError as error:
            raise MailboxUnavailable(
                MailCode.MAIL_TIMED_OUT, host=mailbox.host, seconds=f"{self._seconds:g}"
            ) from error
        finally:
            line.cut()


class _Line:
    """One connection to a mail server, which another thread may cut."""

    def __init__(self, mailbox: Mailbox, seconds: float) -> None:
        self._mailbox, self._seconds = mailbox, seconds
        self._client: IMAPClient | None = None
        self._cut = False

    def talk(self, password: str, ask: Callable[[IMAPClient, dict[bytes, Any]], T]) -> T:
        """Connect, log in, open the folder for reading, ask, and take leave."""
        try:
            self._client = client = self._connect()
            if self._cut:
                raise ConnectionAbortedError("the answer is no longer awaited")
            _log_in(client, self._mailbox.user, password)
            answer = ask(client, _examine(client, self._mailbox.folder))
        except MailboxUnavailable:
            raise
        except (
            Exception
        ) as error:  # a bad server's answers make the client raise whatever they like
            raise _unavailable(error, self._mailbox) from error
        finally:
            if self._client is not None:
                with contextlib.suppress(Exception):
                    self._client.logout()
        return answer

    def cut(self) -> None:
        """Break the connection, if there is one; a pending read fails at once."""
        self._cut = True
        if self._client is not None:
            with contextlib.suppress(Exception):
                self._client.socket().shutdown(socket.SHUT_RDWR)

    def _connect(self) -> IMAPClient:
        at, context = self._mailbox, ssl.create_default_context()
        client = IMAPClient(
            at.host,
            port=at.port,
            ssl=at.security is Security.TLS,
            ssl_context=context if at.security is Security.TLS else None,
            timeout=SocketTimeout(connect=min(self._seconds, 10.0), read=self._seconds),
        )
        client.normalise_times = False  # aware datetimes
        if at.security is Security.STARTTLS:
            client.starttls(context)
        return client


def _log_in(client: IMAPClient, user: str, password: str) -> None:
    """LOGIN takes ASCII alone."""
    if (user + password).isascii():
        client.login(user, password)
    else:
        client.plain_login(user, password)


def _examine(client: IMAPClient, folder: str) -> dict[bytes, Any]:
    try:
        return dict(client.select_folder(folder, readonly=True))
    except IMAPClientError as error:
        raise MailboxUnavailable(
            MailCode.MAIL_NO_FOLDER, folder=folder, detail=_line(error)
        ) from error


def _read(client: IMAPClient, state: dict[bytes, Any], mailbox: Mailbox) -> Batch:
    """The next batch; a recreated mailbox (another UIDVALIDITY) is read again from `since` on."""
    uidvalidity = int(state[b"UIDVALIDITY"])
    read_on = uidvalidity == mailbox.uidvalidity
    if read_on:
        uids = sorted(
            uid for uid in client.search(["UID", f"{mailbox.uid + 1}:*"]) if uid > mailbox.uid
        )
    else:
        day = (
            mailbox.since - timedelta(days=1)
        ).date()  # IMAP knows days alone, of the server's own zone
        uids = sorted(client.search(["SINCE", day]))
    now, more = uids[:AT_ONCE], len(uids) > AT_ONCE
    reached = (
        now[-1]
        if more
        else max([mailbox.uid if read_on else 0, int(state.get(b"UIDNEXT", 1)) - 1, *now])
    )
    if now:
        fetched = client.fetch(now, ["INTERNALDATE", _MARKS, _RECIPIENTS])
    else:
        fetched = {}

    arrived = tuple(_arrived(uid, fetched[uid]) for uid in now if uid in fetched)
    return Batch(uidvalidity=uidvalidity, uid=reached, arrived=arrived, more=more)


def _arrived(uid: int, facts: dict[bytes, Any]) -> Arrived:
    parts = []
    for name, value in sorted(facts.items()):
        if name.startswith(b"BODY[HEADER.FIELDS"):
            parts.append(value)

    head = b"\r\n".join(part.strip() for part in parts if isinstance(part, bytes))
    at = facts.get(b"INTERNALDATE")
    if isinstance(at, datetime) and at.tzinfo:
        known = at
    else:
        known = datetime.now(UTC)

    return Arrived(uid=uid, at=known.astimezone(UTC), head=head)


def _unavailable(error: Exception, at: Mailbox) -> MailboxUnavailable:
    """What went wrong, and how to fix it."""
    where, said = f"{at.host}:{at.port}", _line(error)
    match error:
        case LoginError():
            facts = {"host": at.host, "user": at.user, "detail": said}
            return MailboxUnavailable(MailCode.MAIL_LOGIN_REFUSED, **facts)
        case ssl.SSLCertVerificationError():
            detail = error.verify_message
            return MailboxUnavailable(MailCode.MAIL_CERTIFICATE, where=where, detail=detail)
        case ssl.SSLError():
            return MailboxUnavailable(MailCode.MAIL_NO_TLS, where=where, detail=said)
        case socket.gaierror():
            return MailboxUnavailable(MailCode.MAIL_NO_HOST, host=at.host)
        case TimeoutError():
            return MailboxUnavailable(MailCode.MAIL_NO_ANSWER, where=where)
        case ConnectionRefusedError():
            return MailboxUnavailable(MailCode.MAIL_NOT_LISTENING, where=where)
    detail = said or type(error).__name__
    return MailboxUnavailable(MailCode.MAIL_FAILED, where=where, detail=detail)


def _line(error: Exception) -> str:
    """What the server said, as one harmless line."""
    if error.args and isinstance(error.args[0], bytes):
        said = error.args[0]
    else:
        said = str(error).encode("utf-8", "replace")

    text = said.decode("utf-8", "replace").removeprefix("b'").removesuffix("'")
    return one_line(text, 200).strip(" .")
