"""The command `ringtrace crm connect`: an account is tried before it is kept, and a trial run
changes nothing.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from router.cli import crm_account, crm_connect, crm_trial
from router.domain.calls.call import Call
from router.domain.delivery.connection import ReceiverHealth
from router.domain.delivery.entity import EntityKind, Found, Ref
from router.domain.delivery.outcome import Outcome
from router.store.engine import SqlStore
from tests.integration.crm_world import ANNA, KEY, PLACE, Books, connected, kept_tokens, on
from tests.support.builders import later
from tests.support.command_line import ringtrace

pytest_plugins = ["tests.integration.crm_world"]


def test_an_account_is_tried_prepared_and_kept_with_its_token_where_no_other_user_reads(
    home: Path, books: Books
) -> None:
    said = connected("--site", "shop", "--mode", "telephony").out
    assert "Created: the field cid" in said
    assert "was saved" in said
    assert kept_tokens(home) == {"main": {"key": KEY}}
    assert (home / "secrets.json").stat().st_mode & 0o777 == 0o600
    shown = ringtrace("crm", "show", "main", "--json").json
    assert (shown["kind"], shown["site_id"], shown["mode"], shown["has_token"]) == (
        "stub",
        "shop",
        "telephony",
        True,
    )
    printed = [
        ringtrace("crm", verb, *name).out
        for verb, *name in (["list"], ["show", "main"], ["check", "main"])
    ]
    assert "https://crm.example" in printed[0]
    assert not any(KEY in text for text in printed)


@pytest.mark.parametrize(
    ("key", "said"), [("wrong", "token is refused"), ("gone", "account was closed")]
)
def test_an_account_that_refuses_us_is_not_kept(
    home: Path, books: Books, key: str, said: str
) -> None:
    refused = ringtrace(
        *PLACE, "--yes", "--token-file", "-", stdin=json.dumps({"key": key}), status=1
    )
    assert said in refused.err
    assert ringtrace("crm", "list", "--json").json == []
    assert not (home / "secrets.json").exists() or kept_tokens(home) == {}


def test_nothing_is_created_in_an_account_before_the_administrator_said_yes(
    home: Path, books: Books
) -> None:
    refused = ringtrace(*PLACE, "--token-file", "-", stdin=KEY, status=1)
    assert "add a field cid" in refused.out
    assert "--yes" in refused.err
    assert books.fields == set()
    assert ringtrace("crm", "list", "--json").json == []
    books.fields.add("cid")
    assert ringtrace(*PLACE, "--json", "--token-file", "-", stdin=KEY).json["kept"] is True


def test_on_a_terminal_what_is_missing_is_asked_for(
    home: Path, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (crm_account, crm_connect, crm_trial):
        monkeypatch.setattr(module, "on_terminal", lambda: True)
    answers = ["stub", "https://crm.example", "7", KEY, "n"]
    refused = ringtrace("crm", "connect", "main", stdin="\n".join(answers) + "\n", status=1)
    assert books.fields == set()
    assert "add a field cid" in refused.out
    ringtrace("crm", "connect", "main", stdin="\n".join([*answers[:-1], "y"]) + "\n")
    assert ringtrace("crm", "show", "main", "--json").json["options"] == {"stage": "7"}


def test_a_token_is_no_argument_and_a_file_of_it_is_read_whole(
    home: Path, books: Books, tmp_path: Path
) -> None:
    assert "ps" in ringtrace(*PLACE, "--token", f"key={KEY}", status=2).err
    assert '"key"' in ringtrace(*PLACE, status=1).err
    file = tmp_path / "token"
    for text, said in (
        ('{"kee": "x"}', "no 'kee'"),
        ('{"key": 5}', "object of strings"),
        ("", "needs 'key'"),
        ("[1]", "token is refused"),  # some tokens may look like anything
    ):
        file.write_text(text)
        assert said in ringtrace(*PLACE, "--token-file", str(file), status=1).err
    assert (
        "cannot be read" in ringtrace(*PLACE, "--token-file", str(tmp_path / "none"), status=1).err
    )
    file.write_text(KEY + "\n")
    ringtrace(*PLACE, "--yes", "--token-file", str(file))


@pytest.mark.usefixtures("home", "books")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("main", "--kind", "sap"), "'sap' is not a kind of connection"),
        (("Main!", "--kind", "stub"), "cannot name a connection"),
        (("main", "--kind", "stub"), "--address is missing"),
        (("main",), "--kind"),
        (("main", "--kind", "stub", "--address", "nonsense"), "is not an address"),
        (
            ("main", "--kind", "stub", "--address", "https://me:word@crm.example"),
            "can be seen by `ps`",
        ),
        (
            ("main", "--kind", "stub", "--address", "https://b24.example/rest/1/abc123"),
            "contains a secret",
        ),
        (
            ("main", "--kind", "stub", "--address", "https://a.example", "--option", "x=1"),
            "no option 'x'",
        ),
        (
            ("main", "--kind", "stub", "--address", "https://a.example", "--option", "stage=one"),
            "cannot use these",
        ),
        (
            ("main", "--kind", "stub", "--address", "https://a.example", "--site", "nowhere"),
            "no site 'nowhere'",
        ),
        (("main", "--kind", "ga4", "--mode", "own"), "has no --mode"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(arguments: Sequence[str], said: str) -> None:
    assert (
        said
        in ringtrace("crm", "connect", *arguments, "--token-file", "-", stdin=KEY, status=1).err
    )


def test_a_new_token_replaces_the_old_one_and_ends_the_rest(home: Path, books: Books) -> None:
    connected()
    rest = datetime.now(UTC) + timedelta(minutes=5)
    health = ReceiverHealth(
        receiver_id="main",
        next_at=rest,
        failures=4,
        paused_until=rest,
        reason=Outcome.text("401 Unauthorized"),
    )

    async def fall(store: SqlStore) -> None:
        async with store.write() as session:
            await session.receivers.save(health)

    on(home, fall)
    assert "401 Unauthorized" in ringtrace("crm", "list").out
    assert ringtrace("crm", "show", "main", "--json").json["rests"] is True
    assert (
        "remove it first" in ringtrace("crm", "connect", "main", "--kind", "tryton", status=1).err
    )
    ringtrace("crm", "connect", "main", "--token-file", "-", stdin=KEY)
    assert ringtrace("crm", "show", "main", "--json").json["rests"] is False


def test_a_webhook_and_a_connection_never_have_one_name(home: Path, books: Books) -> None:
    connected()
    assert (
        "connection is already called"
        in ringtrace("webhook", "add", "main", "https://a.example", status=1).err
    )
    ringtrace("webhook", "add", "hook", "https://a.example")
    taken = ("crm", "connect", "hook", "--kind", "stub", "--address", "https://a.example")
    assert (
        "webhook is already called"
        in ringtrace(*taken, "--token-file", "-", stdin=KEY, status=1).err
    )


@pytest.fixture
def server() -> Iterator[str]:
    """Takes what the debugging endpoint of GA4 would, from who knows the secret."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200 if f"api_secret={KEY.replace(' ', '+')}" in self.path else 401)
            self.end_headers()
            self.wfile.write(b'{"validationMessages": []}')

        def log_message(self, *_: Any) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    made.server_close()
    thread.join()


def test_a_real_server_is_asked_and_one_that_is_away_is_named_without_a_traceback(
    home: Path, server: str
) -> None:
    option = ("--option", "measurement_id=G-ABC123DEF4")
    place = ("crm", "connect", "stats", "--kind", "ga4", "--address", server, "--token-file", "-")
    assert "token is refused" in ringtrace(*place, *option, stdin="wrong", status=1).err
    assert "Data streams" in ringtrace(*place, stdin=KEY, status=1).out
    assert ringtrace("crm", "list", "--json").json == []
    assert all(
        check["well"] for check in ringtrace(*place, *option, "--json", stdin=KEY).json["checks"]
    )
    ringtrace("crm", "change", "stats", "--address", "http://127.0.0.1:1")
    assert "ConnectError" in ringtrace("crm", "check", "stats", status=1).err


# Trial runs


def test_a_trial_run_shows_what_the_last_call_would_become_and_does_nothing(
    home: Path, books: Books, call: Call
) -> None:
    trial = ringtrace(
        *PLACE, "--dry-run", "--json", "--call", call.id, "--token-file", "-", stdin=KEY
    ).json
    assert [(step["verb"], step["what"]) for step in trial["steps"]] == [
        ("create", "contact"),
        ("create", "deal"),
    ]
    assert trial["steps"][0]["values"]["title"] == ANNA
    assert trial["steps"][1]["values"]["cid"] == "123.456"
    assert trial["steps"][1]["values"]["linked to"] == "contact (new)"
    assert books == Books()
    assert ringtrace("crm", "list", "--json").json == []
    connected()
    said = ringtrace("crm", "connect", "main", "--dry-run").out  # with the token that is kept
    assert "Call rt1-2.0" in said
    assert "Missed call from a hidden number" in said
    assert books.changed == []


def test_a_trial_run_beside_a_telephony_writes_in_words_alone_and_never_chooses(
    home: Path, books: Books, call: Call
) -> None:
    connected("--mode", "telephony")
    deal = Found(
        ref=Ref(kind=EntityKind.DEAL, id="7"), title="Tyres", phones=(ANNA,), created_at=later(20)
    )
    books.known, books.stands = [deal], {deal.ref: {}}
    trial = ringtrace(
        "crm", "check", "main", "--dry-run", "--json"
    ).json  # the last one that has a client ID
    assert trial["call_id"] == call.id
    assert trial["steps"] == [{"verb": "write", "what": "deal 7", "values": {"cid": "123.456"}}]
    books.known = [deal, replace(deal, ref=Ref(kind=EntityKind.DEAL, id="8"))]
    said = ringtrace("crm", "check", "main", "--dry-run").out
    assert "need review" in said
    assert "Tyres" in said
    assert books.changed == []


def test_a_trial_run_of_analytics_sends_nothing_and_keeps_the_secret(
    home: Path, call: Call
) -> None:
    place = ("crm", "connect", "stats", "--kind", "ga4", "--address", "http://127.0.0.1:1")
    option = ("--option", "measurement_id=G-ABC123DEF4")
    said = ringtrace(*place, *option, "--dry-run", "--token-file", "-", stdin=KEY).out
    assert "mp/collect" in said
    assert "123.456" in said
    assert "G-ABC123DEF4" in said
    assert KEY not in said
    assert "would be sent" in said


def test_a_trial_run_without_a_call_to_tell_says_so(home: Path, books: Books) -> None:
    connected()
    assert "None of the last" in ringtrace("crm", "check", "main", "--dry-run", status=1).err
    assert (
        "no call 'x'" in ringtrace("crm", "check", "main", "--dry-run", "--call", "x", status=1).err
    )
