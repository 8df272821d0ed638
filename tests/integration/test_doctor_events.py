"""Doctor names events that an Asterisk of one's own does not write or tell, and what to change."""

import pytest

from router.cli.doctor import events
from router.cli.doctor.finding import Case, Finding, Level
from router.config import Settings
from router.store.engine import SqlStore


class Said:
    """A console that says what a test has seen a real one say."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def run(self, _: str) -> str:
        return self._text


@pytest.fixture
def looked(store: SqlStore) -> Case:
    return Case(settings=Settings(), store=store, secrets=None)


def cel(*tracked: str) -> str:
    lines = [f"CEL Tracking Event: {event}" for event in tracked]
    return "\n".join(
        ["CEL Logging: Enabled", *lines, "CEL Event Subscriber: CEL Custom CSV Logging"]
    )


async def seen(monkeypatch: pytest.MonkeyPatch, case: Case, said: str) -> Finding:
    monkeypatch.setattr(Case, "console", lambda _: Said(said))
    if said.startswith("CEL"):
        return await events.channel_log(case)
    return await events.manager_events(case)


async def test_a_cel_log_without_the_events_of_calls_fails(
    looked: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await seen(monkeypatch, looked, cel(*events._needed()))).level is Level.OK
    found = await seen(monkeypatch, looked, cel("CHAN_START", "CHAN_END", "APP_START"))
    assert (found.level, "lacks ANSWER, HANGUP" in found.found) == (Level.FAIL, True)
    assert "#tryinclude ringtrace/cel-general.conf" in found.fix


@pytest.mark.parametrize(
    ("disabled", "level", "words"),
    [
        ("Newchannel,VarSet", Level.OK, "all"),
        ("UserEvent,VarSet", Level.FAIL, "no call reaches the agent"),
        ("Hold, DTMFEnd", Level.WARN, "keys pressed in a call and time on hold unknown"),
    ],
)
async def test_events_that_the_host_switched_off_are_named(
    looked: Case, monkeypatch: pytest.MonkeyPatch, disabled: str, level: Level, words: str
) -> None:
    said = f"Global Settings:\n  Disabled events:           {disabled}\n  Debug:  No"
    found = await seen(monkeypatch, looked, said)
    assert (found.level, words in found.found) == (level, True)
