"""A real mail server for tests: Debian's Dovecot in a directory of its own, on a free loopback
port.
"""

import asyncio
import contextlib
import ctypes
import grp
import imaplib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.ports import free_port

USER, PASSWORD = "info", "correct-horse"

_COMMON = """
protocols = imap
listen = 127.0.0.1
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_max_userip_connections = 100
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
"""
_OLD = (  # 2.3
    """
disable_plaintext_auth = no
auth_failure_delay = 0
ssl = yes
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
mail_location = maildir:{home}/mail
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={home}
}}
"""
    + _COMMON
)
_NEW = (  # 2.4
    """
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
auth_allow_cleartext = yes
auth_failure_delay = 0
ssl = yes
ssl_server_cert_file = {home}/cert.pem
ssl_server_key_file = {home}/key.pem
mail_driver = maildir
mail_path = {home}/mail
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = {user}
    gid = {group}
    home = {home}
  }}
}}
"""
    + _COMMON
)


class ImapServer:
    """One mailbox, `info`, on a plain port and on one with TLS under a certificate for `localhost`
    signed by itself.
    """

    def __init__(self, home: Path) -> None:
        if shutil.which("dovecot") is None:
            pytest.fail("Dovecot is missing: apt install dovecot-imapd")
        self.home = home
        # Dovecot's processes change to users of their own when root starts them; one ordinary user
        # does for all.
        name = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        who = pwd.getpwnam(name)
        self._as: dict[str, Any] = (
            {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": ()}
            if os.getuid() == 0
            else {}
        )
        self.port, self.tls_port = free_port(), free_port()
        self.certificate = _certificate(home)
        version = subprocess.run(
            ["dovecot", "--version"], capture_output=True, text=True, check=True
        ).stdout
        text = (_OLD if version.startswith("2.3") else _NEW).format(
            home=home,
            user=name,
            group=_group(who.pw_gid),
            password=PASSWORD,
            port=self.port,
            tls_port=self.tls_port,
        )
        (home / "dovecot.conf").write_text(text)
        if os.getuid() == 0:
            subprocess.run(["chown", "-R", f"{who.pw_uid}:{who.pw_gid}", home], check=True)
        home.chmod(0o755)
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, also after `stop`; returns when it answers."""
        with (self.home / "errors").open("ab") as errors:
            self._server = subprocess.Popen(
                ["dovecot", "-F", "-c", self.home / "dovecot.conf"],
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                cwd=self.home,
                start_new_session=True,
                preexec_fn=_die_with_parent,
                **self._as,
            )
        until = time.monotonic() + 40
        while time.monotonic() < until and self._server.poll() is None:
            with (
                contextlib.suppress(OSError, imaplib.IMAP4.error),
                imaplib.IMAP4("127.0.0.1", self.port, timeout=5),
            ):
                return
            time.sleep(0.02)
        texts = [
            path.read_text() for path in (self.home / "errors", self.home / "log") if path.exists()
        ]
        pytest.fail("Dovecot does not start: " + "".join(texts))

    def stop(self) -> None:
        """End it at once with everything it serves; every connection breaks."""
        if self._server is not None:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._server = None

    def put(self, *messages: bytes, at: datetime | None = None, folder: str = "INBOX") -> None:
        """New messages, as an IMAP client appends them."""
        when = imaplib.Time2Internaldate(at) if at else ""
        with self._client() as client:
            for message in messages:
                status, said = client.append(folder, "", when, message)
                assert status == "OK", said

    def put_files(self, messages: list[bytes]) -> None:
        """Many messages at once, as a local mailer delivers them."""
        self.put(b"From: a@b.example\r\n\r\nFirst, so that the maildir is there.\r\n")
        owner = (self.home / "mail").stat()
        for number, message in enumerate(messages):
            path = self.home / "mail/new" / f"{int(time.time())}.M{number:06}P1.host"
            path.write_bytes(message)
            os.chown(path, owner.st_uid, owner.st_gid)

    def flags(self) -> list[str]:
        """The flags of every message."""
        with self._client() as client:
            client.select("INBOX", readonly=True)
            _, found = client.fetch("1:*", "(FLAGS)")
            return [part.decode() for part in found if isinstance(part, bytes)]

    async def conversations(self, count: int) -> list[str]:
        """What the server notes of each connection that logged out, once there are so many."""
        async with asyncio.timeout(180):
            while len(lines := [line for line in self._log() if "Logged out in=" in line]) < count:
                await asyncio.sleep(0.02)
        return lines

    def _log(self) -> list[str]:
        return (self.home / "log").read_text().splitlines()

    def make_anew(self) -> None:
        """Forget all UIDs, as after a restored backup: the same messages under another
        UIDVALIDITY.
        """
        for path in (self.home / "mail").glob("dovecot*"):
            path.unlink()
        self._uidvalidity(int(time.time()) + 1000)

    def _uidvalidity(self, value: int) -> None:
        path = self.home / "mail/dovecot-uidlist"
        path.write_text(f"3 V{value} N1\n")
        owner = (self.home / "mail").stat()
        os.chown(path, owner.st_uid, owner.st_gid)

    @contextmanager
    def _client(self) -> Iterator[imaplib.IMAP4]:
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.login(USER, PASSWORD)
        try:
            yield client
        finally:
            client.logout()


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    """A running server; its directory goes with it."""
    home = Path(tempfile.mkdtemp(prefix="rtim-", dir="/tmp"))  # short: it holds sockets
    server = ImapServer(home)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(home, ignore_errors=True)


class Trickle:
    """A server that greets, and then says nothing for ever."""

    def __init__(self) -> None:
        self.port = 0
        self.left = asyncio.Event()  # a message that had come is gone

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        with contextlib.suppress(OSError):
            while await reader.read(1000):
                pass
        self.left.set()
        writer.close()


@contextlib.asynccontextmanager
async def trickle() -> Any:
    """A server that never answers a command."""
    made = Trickle()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


def _certificate(home: Path) -> Path:
    path = home / "cert.pem"
    what = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    whose = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    files = ("-keyout", home / "key.pem", "-out", path)
    subprocess.run(["openssl", "req", *what, *whose, *files], check=True, capture_output=True)
    return path


def _group(gid: int) -> str:
    return grp.getgrgid(gid).gr_name


_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
