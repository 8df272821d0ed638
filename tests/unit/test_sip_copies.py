"""Copies of SIP messages: which of them are read, and what they say of a call that was refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.asterisk.sip_copies import Offer, Refusal, describe_offer, describe_refused, read_copy

KEY = b"our-key"
INVITE = (
    b"INVITE sip:+74950000000@192.0.2.9 SIP/2.0\r\nTo: "
    b"<sip:+74950000000@192.0.2.9>\r\nCall-ID: one@carrier\r\n"
    b"CSeq: 1 INVITE\r\n\r\nv=0\r\nm=audio 4000 RTP/AVP 18\r\n"
)
ANSWER = (
    b"SIP/2.0 488 Not Acceptable Here\r\nt: <sip:x>;tag=2\r\ni: one@carrier\r\nCSeq: 1 "
    b"INVITE\r\n\r\n"
)


def copy(payload: bytes, key: bytes = KEY) -> bytes:
    """A message as Asterisk's res_hep sends it."""
    chunks = ((0x0001, b"\x02"), (0x0003, bytes([192, 0, 2, 1])), (0x000E, key), (0x000F, payload))
    body = b"".join(struct.pack("!HHH", 0, kind, len(value) + 6) + value for kind, value in chunks)
    return b"HEP3" + struct.pack("!H", len(body) + 6) + body


def test_the_first_invite_of_a_call_and_its_refusal_are_read() -> None:
    offer = read_copy(copy(INVITE), KEY)
    assert isinstance(offer, Offer)
    assert (offer.call_id, offer.source) == (b"one@carrier", "192.0.2.1")
    assert describe_offer(offer.body) == "the codecs G729"
    assert read_copy(copy(ANSWER), KEY) == Refusal(
        call_id=b"one@carrier", source="192.0.2.1", status=488
    )


@pytest.mark.parametrize(
    "payload",
    [
        INVITE.replace(b"9>\r\n", b"9>;tag=1\r\n"),  # inside a call
        ANSWER.replace(b"1 INVITE", b"1 BYE"),
        ANSWER.replace(b"488", b"4xx"),
        ANSWER.replace(b"SIP/2.0 488", b"SIP/2.0 200"),
        b"OPTIONS sip:x SIP/2.0\r\n\r\n",
        b"",
    ],
)
def test_all_else_is_passed_over(payload: bytes) -> None:
    assert read_copy(copy(payload), KEY) is None


def test_a_copy_without_our_key_is_passed_over() -> None:
    assert read_copy(copy(INVITE, b"another"), KEY) is None


@given(st.binary(max_size=200), st.integers(0, 300))
def test_no_packet_breaks_the_reader(noise: bytes, cut: int) -> None:
    read_copy(noise, KEY)
    read_copy(copy(INVITE)[:cut] + noise, KEY)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("m=audio 4000 RTP/SAVP 8\r\n", "encrypted sound alone"),
        ("m=audio 4000 RTP/SAVP 8\r\nm=audio 4000 RTP/AVP 18\r\n", "the codecs G729, PCMA"),
        ("m=audio 4000 RTP/AVP 111 101\r\na=rtpmap:111 opus/48000/2\r\n", "the codecs opus"),
        ("m=audio 0 RTP/AVP 8\r\nm=image 4000 udptl t38\r\n", "no sound, only audio, image"),
        ("m=video 4000 RTP/AVP 96\r\n", "no sound, only video"),
        ("m=audio 4000 RTP/AVP 99\r\na=rtpmap:99 <script>/8000\r\n", "codecs that have no name"),
        ("m=\x1b[31m 1 x y\r\n", "no readable SDP"),
        ("", "no readable SDP"),
    ],
)
def test_an_offer_is_named_in_words_of_ours(body: str, words: str) -> None:
    assert describe_offer(body) == words


@pytest.mark.parametrize(
    ("status", "header", "words"),
    [
        (
            b"420",
            b"Unsupported: nonsense, gruu\r\n",
            "an unsupported extension: nonsense, gruu",
        ),
        (b"420", b"Unsupported: <\xff>\r\n", "an unsupported extension: it has no name"),
        (b"420", b"", "an unsupported extension: it has no name"),
        (b"422", b"Min-SE: 90\r\n", "a session timer that is too short"),
        (b"481", b"", "to replace an unknown call"),
        (b"488", b"", "the codecs G729"),
    ],
)
def test_a_refusal_for_something_else_than_the_sound_says_so(
    status: bytes, header: bytes, words: str
) -> None:
    offer = read_copy(copy(INVITE), KEY)
    answer = ANSWER.replace(b"SIP/2.0 488", b"SIP/2.0 " + status).replace(b"i: ", header + b"i: ")
    refusal = read_copy(copy(answer), KEY)
    assert isinstance(offer, Offer)
    assert isinstance(refusal, Refusal)
    assert describe_refused(offer, refusal) == words
