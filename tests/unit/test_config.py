"""Settings and secrets: where they come from, and what is said of bad ones."""

import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from router.config import Settings, load_settings
from router.errors import ConfigurationError
from router.secrets import load_secrets


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RINGTRACE_HOME", str(tmp_path))
    return tmp_path


def test_everything_has_a_default_below_home(home: Path) -> None:
    settings = load_settings()
    assert settings.database == f"sqlite+aiosqlite:///{home}/ringtrace.db"
    assert settings.cel_log == home / "asterisk/log/cel-custom/cel.csv"
    assert (settings.spool, settings.storage) == (home / "spool", str(home / "recordings"))
    assert settings.fallback.parent == settings.ringtrace_etc == home / "asterisk/etc/ringtrace"
    assert settings.url == "http://127.0.0.1:8080"


def test_home_is_made_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGTRACE_HOME", "state")
    assert load_settings().home == tmp_path / "state"


def test_the_environment_goes_before_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "ringtrace.toml").write_text('web_port = 9001\nsip_port = 5070\nregion = "DE"\n')
    monkeypatch.setenv("RINGTRACE_WEB_PORT", "9002")
    settings = load_settings()
    assert (settings.web_port, settings.sip_port, settings.region) == (9002, 5070, "DE")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("web_port = 0", "web_port"),
        ("web_port = 70000", "web_port"),
        ('web_port = "http"', "web_port"),
        ('region = "russia"', "region"),
        ('system_name = "RT-1"', "system_name"),
        ("route_deadline_ms = 5000", "route_deadline_ms"),
        ('recording_format = "flac"', "recording_format"),
        ('colour = "red"', "colour"),
        ("rtp_start = 20000\nrtp_end = 20004", "8 ports"),
        ("rtp_start = 30000\nrtp_end = 20000", "8 ports"),
        ("web_port = ", "ringtrace.toml"),
        ("\x00", "ringtrace.toml"),
    ],
)
def test_a_bad_setting_is_named(text: str, said: str, home: Path) -> None:
    (home / "ringtrace.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=said):
        load_settings()


def test_every_bad_setting_is_named_at_once(home: Path) -> None:
    (home / "ringtrace.toml").write_text('web_port = 0\nregion = "x"\n')
    with pytest.raises(ConfigurationError, match=r"(?s)web_port.*region|region.*web_port"):
        load_settings()


def test_settings_do_not_change_under_way() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().web_port = 1  # type: ignore[misc]


def test_secrets_are_made_once_and_for_few_eyes(home: Path) -> None:
    first = load_secrets(home)
    assert load_secrets(home) == first
    assert stat.S_IMODE((home / "secrets.json").stat().st_mode) == 0o600
    values = [first.ami_password, first.session_key, first.webhook_key, first.first_password]
    assert len(set(values)) == 4
    assert all(len(value) >= 12 for value in values)
    assert not any(value in repr(first) for value in values)
    assert [file.name for file in home.iterdir()] == ["secrets.json"]


def test_several_processes_that_start_together_share_their_secrets(tmp_path: Path) -> None:
    processes = get_context("spawn")  # a fork would inherit whatever threads other tests have left
    with ProcessPoolExecutor(
        4, processes, wait_for_all, (processes.Barrier(4, timeout=60),)
    ) as pool:
        for home in [tmp_path / f"new{i}" for i in range(20)]:
            assert len(set(pool.map(load_secrets, [home] * 4))) == 1


def wait_for_all(barrier: Barrier) -> None:
    """In each process: what it needs is imported once this runs, so that none is late."""
    barrier.wait()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"ami_password": "x"}', "rubbish"])
def test_spoilt_secrets_are_not_replaced_in_silence(text: str, tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(text)
    with pytest.raises(ConfigurationError, match="backup"):
        load_secrets(tmp_path)
    assert (tmp_path / "secrets.json").read_text() == text


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(
    "address", ["calls.example.ru", "//calls.example.ru", "ftp://calls.example.ru", "https://"]
)
def test_a_public_address_without_scheme_or_host_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGTRACE_PUBLIC_URL", address)
    with pytest.raises(ConfigurationError, match="with its scheme"):
        load_settings()


def test_a_misspelt_variable_is_refused_with_the_name_that_was_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RINGTRACE_PUBLIC_URI", "https://calls.example.ru")
    with pytest.raises(ConfigurationError, match="did you mean RINGTRACE_PUBLIC_URL"):
        load_settings()


def test_an_empty_variable_is_as_good_as_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RINGTRACE_HOME", "")
    monkeypatch.setenv("RINGTRACE_WEB_PORT", "")
    assert (load_settings().home, load_settings().web_port) == (tmp_path / "var", 8080)
