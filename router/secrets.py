"""Passwords and keys: made at the first start, kept in $RINGTRACE_HOME/secrets.json, mode 600."""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from router.atomic_file import write_whole
from router.errors import ConfigurationError

Value = TypeVar("Value")
_LOGIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An authorization code that a command awaits."""

    began: datetime
    code: str = ""
    refusal: str = ""  # why the CRM sent no code


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """A secret value."""

    ami_password: str
    session_key: str  # signs the pages' cookies
    webhook_key: str  # each webhook's signing secret is derived from it
    first_password: str  # of the first administrator, until they change it
    link_key: str = ""  # signs links to recordings; a new one ends all of them
    # of mailboxes, by their sites
    mail_passwords: dict[str, str] = field(default_factory=dict, hash=False)
    # of connections, by name
    tokens: dict[str, dict[str, str]] = field(default_factory=dict, hash=False)
    # by the states of addresses that people open to allow an app
    logins: dict[str, Login] = field(default_factory=dict, hash=False)

    @property
    def recording_key(self) -> str:
        """What links to recordings are signed with; derived where no key was made yet."""
        derived = hashlib.sha256(f"links to recordings {self.session_key}".encode()).hexdigest()
        return self.link_key or derived

    @property
    def sip_copies_key(self) -> str:
        """What Asterisk's copies of SIP messages carry, so that no other user of this machine can
        send us some.
        """
        return hashlib.sha256(f"copies of SIP {self.ami_password}".encode()).hexdigest()[:32]

    def __repr__(self) -> str:
        return "Secrets(…)"


_SECRETS = TypeAdapter(Secrets)


def load_secrets(home: Path) -> Secrets:
    """The secrets of this installation, made at the first call."""
    path = home / "secrets.json"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        made = Secrets(
            ami_password=secrets.token_urlsafe(24),
            session_key=secrets.token_urlsafe(24),
            webhook_key=secrets.token_urlsafe(24),
            first_password=secrets.token_urlsafe(9),
        )
        with _locked(home):
            if not path.exists():  # the first of two starters wins
                _replace(home, made)
    try:
        return _SECRETS.validate_json(path.read_bytes())
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(
            f"{path} cannot be read ({reason}): make it readable for Ringtrace's user"
        ) from error
    except ValueError:  # its words would show what is in it
        raise ConfigurationError(
            f"{path} cannot be read: restore it from a backup, or remove it"
        ) from None


def keep_mail_password(home: Path, site_id: str, password: str | None) -> None:
    """Keep the password of a site's mailbox, or forget it."""
    with _changing(home) as known:
        passwords = _changed(known.mail_passwords, site_id, password)
        _replace(home, replace(known, mail_passwords=passwords))


def renew_link_key(home: Path) -> None:
    """End every link to a recording."""
    with _changing(home) as known:
        _replace(home, replace(known, link_key=secrets.token_urlsafe(24)))


def keep_token(home: Path, connection_id: str, token: dict[str, str] | None) -> None:
    """Keep what a connection logs in with, or forget it."""
    with _changing(home) as known:
        _replace(home, replace(known, tokens=_changed(known.tokens, connection_id, token)))


def change_token(home: Path, connection_id: str, changes: Mapping[str, str]) -> None:
    """Change parts of a connection's token; an empty part is removed. Nothing happens where the
    connection was removed meanwhile.
    """
    with _changing(home) as known:
        token = known.tokens.get(connection_id)
        if token is None:
            return
        parts = {name: text for name, text in {**token, **changes}.items() if text}
        _replace(home, replace(known, tokens=_changed(known.tokens, connection_id, parts)))


def begin_login(home: Path, state: str) -> None:
    """Await an authorization code, which comes with this state. Codes that were awaited before are
    forgotten after an hour.
    """
    now = datetime.now(UTC)
    with _changing(home) as known:
        others = {name: login for name, login in known.logins.items() if login.began > now - _LOGIN}
        logins = {**others, state: Login(began=now)}
        _replace(home, replace(known, logins=logins))


def keep_login(home: Path, state: str, code: str, refusal: str) -> bool:
    """Keep the authorization code, or why there is none, for the command that awaits it; whether
    one does.
    """
    if state not in load_secrets(home).logins:
        return False
    with _changing(home) as known:
        login = known.logins.get(state)
        if login is None or login.code or login.refusal:
            return False
        logins = {**known.logins, state: replace(login, code=code, refusal=refusal)}
        _replace(home, replace(known, logins=logins))
    return True


def read_login(home: Path, state: str) -> Login | None:
    """What came with this state."""
    return load_secrets(home).logins.get(state)


def end_login(home: Path, state: str) -> None:
    """Await the code no longer."""
    with _changing(home) as known:
        _replace(home, replace(known, logins=_changed(known.logins, state, None)))


def _changed(known: Mapping[str, Value], name: str, value: Value | None) -> dict[str, Value]:
    others = {key: kept for key, kept in known.items() if key != name}
    if value is None:
        return others
    return {**others, name: value}


@contextmanager
def _changing(home: Path) -> Iterator[Secrets]:
    """The secrets as they are now. Two commands that change them at once take turns."""
    load_secrets(home)  # which makes the directory
    with _locked(home):
        yield load_secrets(home)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    directory = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _replace(home: Path, values: Secrets) -> None:
    write_whole(home / "secrets.json", _SECRETS.dump_json(values, indent=1).decode(), mode=0o600)
