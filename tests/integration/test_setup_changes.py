"""Each change of the set-up leaves one line in the log: what, from what to what, by whom, and no
secret.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from router.domain.access import Role, Scope
from router.domain.delivery.connection import Connection, Rules
from router.domain.mail import Mailbox, MailChannel, Security
from router.domain.setup_change import compare
from router.errors import NotFound
from router.service.admin import access, setup
from router.service.admin.changes import SET_UP
from router.service.delivery import connections
from router.service.mailboxes import (
    add_channel,
    connect_mailbox,
    disconnect_mailbox,
    remove_channel,
)
from router.store.engine import SqlStore
from router.store.records import TABLES
from tests.support.builders import NOON, destination, furnish, pool, site, webhook
from tests.support.web_world import World, a_world

PASSWORD = "correct horse battery"


def lines_of(logs: Any) -> list[tuple[str, str, str, dict[str, str]]]:
    return [
        (line["action"], line["kind"], line["key"], line["fields"])
        for line in logs
        if line["event"] == "configuration_changed"
    ]


async def test_what_changed_is_named_with_its_old_and_its_new_value(store: SqlStore) -> None:
    await furnish(store)
    with capture_logs() as logs:
        await setup.change(store, pool(hold_seconds=900, freeze_seconds=60, regions=("Moscow",)))
        await setup.change(store, pool(hold_seconds=900, freeze_seconds=60, regions=("Moscow",)))
    assert lines_of(logs) == [
        (
            "changed",
            "Pool",
            "main",
            {
                "hold_seconds": "600 -> 900",
                "freeze_seconds": "300 -> 60",
                "regions": "[] -> [Moscow]",
            },
        )
    ]
    assert {line["who"] for line in logs} == {"cli"}


async def test_people_passwords_and_tokens_are_logged_without_a_secret(store: SqlStore) -> None:
    with capture_logs() as logs:
        await access.add_person(store, "anna", PASSWORD, Role.SUPERVISOR, NOON)
        await access.add_person(store, "boss", PASSWORD, Role.ADMINISTRATOR, NOON)
        await access.set_password(store, "anna", PASSWORD[::-1])
        await access.set_role(store, "anna", Role.ADMINISTRATOR)
        await access.remove_person(store, "boss")
        made = await access.create_token(store, "crm", [Scope.CALLS_READ], NOON)
        await access.revoke_token(store, made.token.id)
    token = {"name": "crm", "secret": "changed", "scopes": "[calls:read]"}
    assert [(action, kind, key) for action, kind, key, _ in lines_of(logs)] == [
        ("added", "Person", "anna"),
        ("added", "Person", "boss"),
        ("changed", "Person", "anna"),
        ("changed", "Person", "anna"),
        ("removed", "Person", "boss"),
        ("added", "Token", made.token.id),
        ("removed", "Token", made.token.id),
    ]
    assert [fields for *_, fields in lines_of(logs)][2:4] == [
        {"password": "changed"},
        {"role": "supervisor -> administrator"},
    ]
    assert lines_of(logs)[-1][3] == token
    for secret in (PASSWORD, PASSWORD[::-1], "argon2", made.secret, made.token.digest):
        assert secret not in str(logs)


async def test_connections_webhooks_and_their_rules_are_logged_without_a_secret(
    store: SqlStore,
) -> None:
    crm = Connection(
        id="sales", kind="amocrm", address="https://u:pw1@crm.example/key2", created_at=NOON
    )
    with capture_logs() as logs:
        await connections.keep_connection(store, crm, NOON, lambda: None)
        await connections.keep_connection(store, crm, NOON, lambda: None)
        moved = replace(crm, address="https://u:pw1@crm.example/key3", rules=Rules(wait=7200.0))
        await connections.change_connection(store, moved, NOON)
        await connections.remove_connection(store, "sales")
        await setup.add(store, webhook(url="https://hook.example:8443/in?token=key4"))
    lines = lines_of(logs)
    assert [(action, kind, key) for action, kind, key, _ in lines] == [
        ("added", "Connection", "sales"),
        ("changed", "Connection", "sales"),
        ("changed", "Connection", "sales"),
        ("removed", "Connection", "sales"),
        ("added", "Webhook", "crm"),
    ]
    assert lines[1][3] == {"token": "changed"}
    assert lines[2][3] == {"address": "changed", "rules.wait": f"{Rules().wait} -> 7200.0"}
    assert lines[4][3]["url"] == "https://hook.example:8443"
    assert not any(secret in str(logs) for secret in ("pw1", "key2", "key3", "key4"))


class AnyPost:
    async def read(self, mailbox: Mailbox, password: str) -> Any:
        raise NotImplementedError

    async def count(self, mailbox: Mailbox, password: str) -> int:
        return 0


async def test_mailboxes_and_addresses_of_channels_are_logged_and_their_reading_is_not(
    store: SqlStore,
) -> None:
    await setup.add(store, destination())
    await setup.add(store, site(mail="info@shop.example"))
    box = Mailbox(
        site_id="shop",
        host="imap.example",
        user="info",
        since=NOON,
        due_at=NOON,
        security=Security.TLS,
    )
    tag = MailChannel(id="c1", site_id="shop", tag="cards", channel="Cards", created_at=NOON)
    with capture_logs() as logs:
        await connect_mailbox(store, AnyPost(), box, PASSWORD, lambda: None)
        async with store.write() as session:  # as the worker does after each look
            await session.change(
                replace(box, uid=7, uidvalidity=1, due_at=NOON + timedelta(minutes=1))
            )
        await connect_mailbox(store, AnyPost(), replace(box, port=1993), PASSWORD, lambda: None)
        await add_channel(store, tag)
        await remove_channel(store, "shop", "cards")
        await disconnect_mailbox(store, "shop")
    lines = lines_of(logs)
    assert [(action, kind) for action, kind, *_ in lines] == [
        ("added", "Mailbox"),
        ("changed", "Mailbox"),
        ("added", "MailChannel"),
        ("removed", "MailChannel"),
        ("removed", "Mailbox"),
    ]
    assert lines[1][3] == {"port": "993 -> 1993", "password": "changed"}
    assert PASSWORD not in str(logs)


async def test_what_was_undone_is_not_logged(store: SqlStore) -> None:
    await furnish(store)
    with capture_logs() as logs, pytest.raises(NotFound):
        await _change_one_and_fail(store)
    assert lines_of(logs) == []


async def _change_one_and_fail(store: SqlStore) -> None:
    async with store.write() as session:
        await session.change(site(name="Another"))
        await session.change(pool("gone"))


async def test_a_change_through_the_api_names_the_token(tmp_path: Path) -> None:
    async with a_world(tmp_path) as world:
        with capture_logs(processors=[merge_contextvars]) as logs:
            await _rename(world)
    line = next(line for line in logs if line["event"] == "configuration_changed")
    assert (line["who"], line["fields"]["name"]) == ("token config:write", "Shop -> Tyres")


async def _rename(world: World) -> None:
    body = {"name": "Tyres", "origins": ["https://shop.example"], "destination_id": "office"}
    answer = await world.program(Scope.CONFIG_WRITE).put("/api/v1/sites/shop", json=body)
    assert answer.status_code == 200, answer.text


def test_every_record_that_is_set_up_can_be_compared() -> None:
    assert set(TABLES) >= SET_UP
    assert compare(site(), site()) is None
    assert compare(None, site()) is not None
