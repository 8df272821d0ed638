"""Who may do what: people with passwords, programs with tokens."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What a token may do."""

    CALLS_READ = "calls:read"  # calls, recordings, leases, deliveries
    CALLS_WRITE = "calls:write"  # tags, re-sending deliveries
    CONFIG_READ = "config:read"  # sites, destinations, numbers, pools
    CONFIG_WRITE = "config:write"


class Role(StrEnum):
    """What a person may do on the pages."""

    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


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
    """Someone who logs in to the pages."""

    login: str
    password_hash: str  # argon2id
    role: Role
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSession:
    """One browser in which a person is logged in; its cookie carries the secret of which only the
    SHA-256 is kept.
    """

    digest: str
    login: str
    created_at: datetime
    expires_at: datetime
