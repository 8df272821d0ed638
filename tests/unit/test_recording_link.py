"""A link to a recording opens that recording until its end, unless it was changed or revoked."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.calls.call import Recording, RecordingState
from router.domain.calls.recording_link import link, opens
from tests.support.builders import NOON, later

RECORDING = Recording(
    call_id="rt1-1.0",
    spool_name="rt1-1.0",
    state=RecordingState.STORED,
    expected_seconds=50,
    due_at=NOON,
    content_type="audio/mpeg",
)


def parameters(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


ADDRESS = link("https://calls.example", "key", RECORDING, later(3600))
GIVEN = parameters(ADDRESS)


def test_a_link_names_the_call_and_works_until_its_end() -> None:
    assert ADDRESS.startswith("https://calls.example/recordings/rt1-1.0/recording.mp3?until=")
    assert opens("key", RECORDING, **GIVEN, now=NOON)
    assert opens("key", RECORDING, **GIVEN, now=later(3599))
    assert not opens("key", RECORDING, **GIVEN, now=later(3600))


@pytest.mark.parametrize(
    "changed",
    [
        {"until": str(int(later(7200).timestamp()))},
        {"until": ""},
        {"until": "²"},
        {"until": "9" * 30},
        {"until": "-1"},
        {"signature": ""},
        {"signature": "é"},
        {"signature": GIVEN["signature"].upper()},
        {"signature": GIVEN["signature"][:-1]},
    ],
)
def test_a_link_that_was_changed_opens_nothing(changed: dict[str, str]) -> None:
    assert not opens("key", RECORDING, **{**GIVEN, **changed}, now=NOON)


def test_it_opens_no_other_recording_and_not_with_another_key() -> None:
    assert not opens("key", replace(RECORDING, call_id="rt1-2.0"), **GIVEN, now=NOON)
    assert not opens("another", RECORDING, **GIVEN, now=NOON)


def test_without_a_key_there_is_no_link() -> None:
    with pytest.raises(ValueError, match="key"):
        opens("", RECORDING, **GIVEN, now=NOON)


def test_revoking_ends_the_links_of_before_and_not_those_of_after() -> None:
    revoked = replace(RECORDING, links_revoked=1)
    assert not opens("key", revoked, **GIVEN, now=NOON)
    again = parameters(link("", "key", revoked, later(3600)))
    assert opens("key", revoked, **again, now=NOON)


@given(until=st.text(max_size=20), signature=st.text(max_size=80))
def test_whatever_is_sent_instead_opens_nothing(until: str, signature: str) -> None:
    assert not opens("key", RECORDING, until, signature, datetime(1970, 1, 1, tzinfo=UTC))
