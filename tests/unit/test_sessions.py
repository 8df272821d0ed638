"""The cookies of the pages, whatever the machine's clock does."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from router.domain.access import Person, Role
from router.web.sessions import DEVICE_LIFETIME, LIFETIME, Sessions

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("moved", "session", "device"),
    [
        (-HOUR, True, True),
        (timedelta(days=-400), True, True),
        (timedelta(days=1), True, True),
        (LIFETIME + HOUR, True, True),
        (DEVICE_LIFETIME + HOUR, True, False),
    ],
    ids=str,
)
def test_a_clock_that_is_set_ends_no_session(
    moved: timedelta, session: bool, device: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions, now = Sessions("key"), datetime.now(UTC)
    person = Person(
        login="anna", password_hash="hash", role=Role.SUPERVISOR, created_at=now
    )  # fmt: skip
    with monkeypatch.context() as patched:
        signed_at = (now - moved).timestamp()
        patched.setattr(time, "time", lambda: signed_at)
        cookie, _ = sessions.issue(person, now)
        known = sessions.issue_device("anna")
    assert (sessions.read(cookie) is not None) is session
    assert (sessions.known_device(known, "anna") is not None) is device
    assert sessions.read(cookie + "x") is None
