"""The declaration of a receiver, `RECEIVER` in its folder's `receiver.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from router.domain.delivery.connection import Connection
from router.domain.delivery.receiver_kind import ReceiverKind
from router.receivers.http import HttpClient
from router.receivers.oauth import OAuth


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration(ReceiverKind):
    """A kind of receiver: adapter, token fields, options and rate limit."""

    name: str  # in `ringtrace crm connect --kind`, and in the database
    adapter: Callable[[Connection, Mapping[str, str], HttpClient], Any]
    token: Mapping[str, str]  # name → what it is; one that starts with `optional` may be left out
    options: Mapping[str, str]  # name → what it is, and its default
    per_second: float  # rate limit of one account,
    burst: int  # requests that may be sent at once
    oauth: OAuth | None = None  # how apps log in; None: by fixed tokens only
    address: str = ""  # the API's address, if all accounts share one
