"""Access: users with passwords, programs with tokens."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """Permission of a token."""

    CALLS_READ = "calls:read"  # calls, recordings, leases, deliveries
    CALLS_WRITE = "calls:write"  # tags, re-sending deliveries
    CALLS_CALL = "calls:call"  # calling customers back
    CALLS_LISTEN = "calls:listen"  # listening in on calls that go on
    CONFIG_READ = "config:read"  # sites, destinations, numbers, pools
    CONFIG_WRITE = "config:write"


class Role(StrEnum):
    """Permission of a user."""

    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    EMPLOYEE = "employee"  # sees the scores of their own calls, and nothing else


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token of a program; only its SHA-256 is kept."""

    id: str
    name: str
    digest: str
    scopes: tuple[Scope, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user of the pages."""

    login: str
    password_hash: str  # argon2id
    role: Role
    created_at: datetime
    employee: str | None = None  # who they are in calls: the `answered_by` of their phone
    phone: str = ""  # rings first when this person calls back: PJSIP/… or Local/…
    scopes: tuple[Scope, ...] = ()  # what this person may do beyond the role


PERSONAL = (Scope.CALLS_CALL, Scope.CALLS_LISTEN)  # of people: no role has them


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSession:
    """A user's log-in in one browser; the cookie has the secret, only its SHA-256 is stored."""

    digest: str
    login: str
    created_at: datetime
    expires_at: datetime
