"""Refused calls are counted under their trunk, with what was wrong and what to do."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from router.asterisk.refused_calls import (
    OUR_CALL,
    PLAIN_SOUND,
    Networks,
    RefusedCall,
    RefusedCalls,
    read_refused,
)
from router.asterisk.sip_copies import Offer, Refusal
from tests.support.builders import NOON

CARRIER, OFFICE, US = "192.0.2.1", "192.0.2.2", "192.0.2.9"
PLAIN, SECURE = "m=audio 4000 RTP/AVP 8\r\n", "m=audio 4000 RTP/SAVP 8\r\n"


async def networks() -> Networks:
    """A carrier and the company's telephony."""
    return {"carrier": [ip_network(CARRIER)], "office": [ip_network(OFFICE)]}


async def counted(
    path: Path, offer: Offer, refusal: Refusal, encrypted: tuple[str, ...] = ()
) -> list[RefusedCall]:
    """What is written of one refused call."""
    refused = RefusedCalls(path, "key", networks, lambda: NOON, lambda: encrypted)
    refused._refused = [(offer, refusal)]
    await refused._write()
    return read_refused(path)


@pytest.mark.parametrize(
    ("body", "encrypted", "offered", "advice"),
    [
        (PLAIN, (), "the codecs PCMA", "PCMA or PCMU"),
        (PLAIN, ("carrier",), PLAIN_SOUND, "--no-srtp-required --srtp"),
        (PLAIN, ("office",), "the codecs PCMA", "PCMA or PCMU"),
        (SECURE, ("carrier",), "encrypted sound alone", "--srtp"),
    ],
)
async def test_plain_sound_on_a_trunk_that_requires_encryption_is_named(
    tmp_path: Path, body: str, encrypted: tuple[str, ...], offered: str, advice: str
) -> None:
    offer = Offer(call_id=b"one", source=CARRIER, body=body)
    refusal = Refusal(call_id=b"one", source=US, status=488)
    (line,) = await counted(tmp_path / "refused.json", offer, refusal, encrypted)
    assert (line.trunk, line.offered) == ("carrier", offered)
    assert advice in line.advice


@pytest.mark.parametrize(
    ("status", "advice"),
    [(488, "accepts no codec that is offered"), (403, "does not accept calls from this machine")],
)
async def test_telephony_that_refuses_what_a_call_of_ours_offers_is_named(
    tmp_path: Path, status: int, advice: str
) -> None:
    offer = Offer(call_id=b"one", source=US, body=PLAIN)
    refusal = Refusal(call_id=b"one", source=OFFICE, status=status)
    (line,) = await counted(tmp_path / "refused.json", offer, refusal)
    assert (line.trunk, line.status, line.offered) == ("office", status, OUR_CALL)
    assert advice in line.advice


async def test_a_number_that_the_telephony_does_not_have_is_no_fault_of_the_offer(
    tmp_path: Path,
) -> None:
    offer = Offer(call_id=b"one", source=US, body=PLAIN)
    refusal = Refusal(call_id=b"one", source=OFFICE, status=404)
    assert await counted(tmp_path / "refused.json", offer, refusal) == []
