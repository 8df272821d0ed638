"""Calls that the demo goes on making."""

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from router.demo import phones
from router.demo.month.cast import SITES
from router.demo.month.sound import Conversation
from router.demo.phones import one_call
from router.phone.errors import CallNotUp

CONVERSATION = Conversation(caller=np.ones(8, np.int16), company=np.zeros(8, np.int16))


@dataclass
class FakePhone:
    """A phone and the one call it knows."""

    name: str
    done: list[tuple[str, Any]]
    fails: bool = False
    dialled: list[str] = field(default_factory=list)

    async def call(self, number: str, *, caller_number: str, caller_name: str) -> "FakePhone":
        self.dialled.append(number)
        return self

    async def incoming(self, timeout: float) -> "FakePhone":
        return self

    async def answer(self) -> None:
        self.done.append((self.name, "answer"))

    async def answered(self, timeout: float) -> None:
        pass

    async def say(self, speech: object) -> None:
        if self.fails:
            raise CallNotUp
        self.done.append((self.name, speech))

    async def hang_up(self) -> None:
        self.done.append((self.name, "hang up"))


class FakeVoices:
    def talk(self, seconds: float, chance: random.Random) -> Conversation:
        return CONVERSATION


async def called(
    monkeypatch: pytest.MonkeyPatch, missed: float, *, fails: bool = False
) -> list[Any]:
    monkeypatch.setattr(phones, "_RINGS", (0.0, 0.0))
    monkeypatch.setattr(phones, "_MISSED", missed)
    done: list[tuple[str, Any]] = []
    mobile, office = FakePhone("mobile", done), FakePhone("office", done, fails)
    try:
        await one_call(mobile, office, FakeVoices(), random.Random(1))  # type: ignore[arg-type]
    finally:
        assert "+" + mobile.dialled[0] in {number for site in SITES for number in site.static}
        assert done[-1] == ("mobile", "hang up")
    return done


async def test_both_sides_talk_and_the_caller_hangs_up(monkeypatch: pytest.MonkeyPatch) -> None:
    done = await called(monkeypatch, missed=0)
    said = [("mobile", CONVERSATION.caller), ("office", CONVERSATION.company)]
    assert done == [("office", "answer"), *said, ("mobile", "hang up")]


async def test_a_missed_call_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await called(monkeypatch, missed=1) == [("mobile", "hang up")]


async def test_a_call_that_fails_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CallNotUp):
        await called(monkeypatch, missed=0, fails=True)
