"""Opening accounts: what is in the database or among the secrets may be wrong, and must not stop
the worker.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from router.receivers.registry import KINDS, RECEIVER_KINDS, Accounts
from router.secrets import keep_token
from router.service.delivery.outcomes import ReceiverUnavailable
from router.store.engine import SqlStore
from tests.support.builders import Clock
from tests.support.crm_calls import connection

TOKEN = {"key": "secret"}


@pytest_asyncio.fixture
async def accounts(store: SqlStore, tmp_path: Path) -> AsyncIterator[Accounts]:
    keep_token(tmp_path, "tryton", TOKEN)
    made = Accounts(store, tmp_path, Clock())
    yield made
    await made.close()


async def test_an_account_is_opened_once_until_it_changes(
    accounts: Accounts, tmp_path: Path
) -> None:
    first = accounts.open(connection())
    assert accounts.open(connection()) is first
    assert accounts.open(connection(address="http://127.0.0.1:8")) is not first
    second = accounts.open(connection())
    keep_token(tmp_path, "tryton", {"key": "another"})
    assert accounts.open(connection()) is not second


@pytest.mark.parametrize(
    "error", [KeyError("key"), ValueError("'one' is no number"), TypeError("None")]
)
async def test_settings_that_cannot_be_used_are_named_and_wait_for_a_person(
    error: Exception, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(
        "router.receivers.registry.KINDS", {"tryton": replace(KINDS["tryton"], adapter=refuse)}
    )
    with pytest.raises(ReceiverUnavailable, match="ringtrace crm connect tryton"):
        accounts.open(connection())


async def test_a_kind_of_a_newer_version_waits_for_it(accounts: Accounts) -> None:
    newer = replace(connection(), kind="invented")
    with pytest.raises(ReceiverUnavailable, match="invented"):
        accounts.open(newer)
    assert RECEIVER_KINDS.of(newer).batch == 1
