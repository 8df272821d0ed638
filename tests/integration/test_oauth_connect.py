"""`ringtrace crm connect --app`: the code comes by the web part, or is pasted."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import uvicorn

from router.cli.crm_app import code_of
from router.domain.delivery.connection import Connection
from router.errors import InvalidInput
from router.receivers.declaration import Declaration
from router.receivers.http import HttpClient
from router.receivers.oauth import Body, OAuth
from router.receivers.registry import KINDS
from router.secrets import Login, begin_login, end_login, keep_login, load_secrets, read_login
from router.web.app import create_app
from tests.contracts.oauth import AMOCRM, CLIENT, CODE, REDIRECT, OAuthServer
from tests.integration.crm_world import KEY, Books, Stub
from tests.support.command_line import ringtrace
from tests.support.web_world import a_world

pytest_plugins = ["tests.integration.crm_world"]
APP = json.dumps({**CLIENT, "redirect_uri": REDIRECT})


@pytest.fixture
def server(books: Books, monkeypatch: pytest.MonkeyPatch) -> OAuthServer:
    """A kind of CRM whose apps log in as amoCRM's do."""
    server = OAuthServer(dialect=AMOCRM)

    def adapter(to: Connection, _token: Mapping[str, str], _http: HttpClient) -> Stub:
        return Stub(books, to.options, KEY)

    kind = Declaration(
        name="stub",
        title="Stub",
        adapter=adapter,
        token={"key": "the key"},
        options={},
        oauth=OAuth(
            token=lambda to: f"{to.address}{AMOCRM.path}",
            authorize=lambda to: f"{to.address}/oauth",
            body=Body.JSON,
        ),
        per_second=99,
        burst=99,
    )
    monkeypatch.setitem(KINDS, "stub", kind)
    books.fields.add("cid")
    return server


@contextmanager
def running(server: OAuthServer) -> Iterator[str]:
    """The server in a thread, as the command has an event loop of its own."""
    made = uvicorn.Server(uvicorn.Config(server.app, port=0, lifespan="off", log_config=None))
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        while not made.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{made.servers[0].sockets[0].getsockname()[1]}"
    finally:
        made.should_exit = True
        thread.join()


def connect(address: str, app: Path, stdin: str, status: int = 0) -> str:
    place = ("--kind", "stub", "--address", address, "--token-file", str(app))
    return ringtrace("crm", "connect", "main", *place, "--app", stdin=stdin, status=status).err


def code_for(home: Path, state: str) -> str:
    login = read_login(home, state)
    return login.code if login else ""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    file = tmp_path / "app.json"
    file.write_text(APP)
    return file


def test_a_pasted_code_connects_the_app_and_its_tokens_are_stored(
    server: OAuthServer, home: Path, app: Path
) -> None:
    with running(server) as address:
        said = connect(address, app, f"{CODE}\n")
    assert f"{address}/oauth?response_type=code&client_id=an-app" in said
    assert CLIENT["client_secret"] not in said
    stored = load_secrets(home)
    token = stored.tokens["main"]
    assert (token["access_token"], token["refresh_token"]) == (server.access, server.refresh)
    assert (token["client_secret"], token["redirect_uri"]) == (CLIENT["client_secret"], REDIRECT)
    assert stored.logins == {}
    assert server.faults == []


def test_a_known_app_is_connected_again_without_its_secret(
    server: OAuthServer, home: Path, app: Path
) -> None:
    with running(server) as address:
        connect(address, app, f"{CODE}\n")
        server.issued = 0
        ringtrace("crm", "connect", "main", "--app", stdin=f"{REDIRECT}?code={CODE}\n")
    assert load_secrets(home).tokens["main"]["access_token"] == server.access


def test_a_wrong_code_saves_nothing(server: OAuthServer, home: Path, app: Path) -> None:
    with running(server) as address:
        said = connect(address, app, "another\n", status=1)
    assert "connect again" in said
    assert load_secrets(home).tokens == {}


def test_a_code_that_comes_by_the_web_part_connects_the_app(
    server: OAuthServer, home: Path, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def browser(home: Path, state: str) -> Login | None:
        keep_login(home, state, CODE, "")
        return read_login(home, state)

    monkeypatch.setattr("router.cli.crm_app.read_login", browser)
    with running(server) as address:
        connect(address, app, "")
    assert load_secrets(home).tokens["main"]["access_token"] == server.access


def test_a_refusal_that_comes_by_the_web_part_ends_the_command_with_its_words(
    server: OAuthServer, home: Path, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def browser(home: Path, state: str) -> Login | None:
        keep_login(home, state, "", "the user\n denied access")
        return read_login(home, state)

    monkeypatch.setattr("router.cli.crm_app.read_login", browser)
    with running(server) as address:
        said = connect(address, app, "", status=1)
    assert "The CRM did not allow the app: the user denied access" in said
    assert (load_secrets(home).tokens, load_secrets(home).logins) == ({}, {})


def test_a_kind_without_apps_says_so(books: Books, home: Path) -> None:
    place = ("--kind", "stub", "--address", "https://crm.example")
    said = ringtrace("crm", "connect", "main", *place, "--app", status=1).err
    assert "Stub has no OAuth apps" in said


def test_the_address_where_the_browser_ended_has_the_code() -> None:
    assert code_of(f"{REDIRECT}?code=a%2Fb&state=s", "s") == "a/b"
    with pytest.raises(InvalidInput, match="another attempt"):
        code_of(f"{REDIRECT}?code=a&state=other", "s")
    with pytest.raises(InvalidInput, match="access_denied"):
        code_of(f"{REDIRECT}?error=access_denied&state=s", "s")


def test_a_code_is_kept_once_and_only_for_a_command_that_waits(tmp_path: Path) -> None:
    assert not keep_login(tmp_path, "unknown", "a", "")
    begin_login(tmp_path, "state")
    assert keep_login(tmp_path, "state", "a", "")
    assert not keep_login(tmp_path, "state", "b", "")
    assert not keep_login(tmp_path, "state", "", "denied")
    assert code_for(tmp_path, "state") == "a"
    end_login(tmp_path, "state")
    assert code_for(tmp_path, "state") == ""


@pytest.mark.parametrize(
    ("language", "words"), [("en", "The app is allowed"), ("ru", "Доступ приложению разрешён")]
)
async def test_the_page_that_the_crm_opens_passes_the_code_on(
    tmp_path: Path, language: str, words: str
) -> None:
    begin_login(tmp_path, "state")
    async with a_world(tmp_path) as world:
        web = replace(
            world.app.state.app_state.web,
            accept_login=partial(keep_login, tmp_path),
        )
        world = replace(world, app=create_app(web))
        client = world.browser(**{"Accept-Language": language})
        given = {"state": "state", "code": CODE}
        answer = await client.get("/oauth/callback", params=given)
        assert (answer.status_code, code_for(tmp_path, "state")) == (200, CODE)
        assert words in answer.text
        assert CODE not in answer.text
        again = await client.get("/oauth/callback", params=given)
        assert again.status_code == 400
        begin_login(tmp_path, "other")
        denied = {"state": "other", "error": "<b>access_denied"}
        refused = await client.get("/oauth/callback", params=denied)
        assert "&lt;b&gt;access_denied" in refused.text
        login = read_login(tmp_path, "other")
        assert (refused.status_code, login and login.refusal) == (400, denied["error"])
