"""Whose address a message came to, and what hostile headers can do: nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.domain.attribution.terms import Verdict
from router.domain.mail import (
    Mailbox,
    MailChannel,
    Security,
    addressed,
    judge_mail,
    read_headers,
    tag_of,
    tagged_address,
)
from router.errors import InvalidInput
from tests.support.builders import NOON, site, visit

PLUS, CATCH_ALL = "info@example.com", "@calls.example.com"


def box(**fields: Any) -> Mailbox:
    place = {"site_id": "shop", "host": "imap.example.com", "user": "info"}
    return Mailbox(**{**place, "since": NOON, "due_at": NOON, **fields})


def test_a_visitors_address_leads_back_to_their_code() -> None:
    assert tagged_address(PLUS, "4K7M2X") == "info+4K7M2X@example.com"
    assert tagged_address(CATCH_ALL, "4K7M2X") == "4k7m2x@calls.example.com"
    assert tagged_address("", "4K7M2X") is None
    for mail in (PLUS, CATCH_ALL):
        assert tag_of(tagged_address(mail, "4K7M2X") or "", mail) == "4k7m2x"


@pytest.mark.parametrize(
    ("address", "mail", "tag"),
    [
        ("INFO+Maps@Example.COM", PLUS, "maps"),
        ("info@example.com", PLUS, ""),
        ("info+a+b@example.com", PLUS, "a+b"),
        ("information+maps@example.com", PLUS, None),
        ("info+maps@example.com.evil.org", PLUS, None),
        ("info+maps@evil.example.com", PLUS, None),
        ("maps@calls.example.com.", CATCH_ALL, "maps"),
        ("maps@example.com", CATCH_ALL, None),
        ("maps@calls.example.com", "", None),
        ("", PLUS, None),
    ],
)
def test_only_addresses_of_the_site_have_a_tag(address: str, mail: str, tag: str | None) -> None:
    assert tag_of(address, mail) == tag


def test_the_writer_s_own_recipients_come_before_what_servers_added_and_a_tag_before_none() -> None:
    headers = read_headers(
        b"Envelope-To: info+last@example.com\r\nDelivered-To: info+third@example.com\r\n"
        b"Cc: info+second@example.com\r\nTo: Shop <info@example.com>, info+FIRST@example.com\r\n"
    )
    assert addressed(headers, PLUS) == ("info+first@example.com", "first")
    assert addressed(read_headers(b"To: info@example.com"), PLUS) == ("info@example.com", None)
    assert addressed(read_headers(b"To: somebody@else.example"), PLUS) is None
    assert addressed(read_headers(b"Bcc: x\r\nDelivered-To: info+hidden@example.com"), PLUS) == (
        "info+hidden@example.com",
        "hidden",
    )


def test_a_code_names_its_visit_a_channel_s_tag_its_channel_and_anything_else_no_one() -> None:
    anna = visit(code="4K7M2X", channel="Organic Search")
    known = ({"maps": "Maps"}, {"4K7M2X": anna})
    assert judge_mail("4k7m2x", *known) == (Verdict.EXACT, "Organic Search", anna)
    assert judge_mail("maps", *known) == (Verdict.STATIC, "Maps", None)
    assert judge_mail("4k7m2y", *known) == (Verdict.UNKNOWN, None, None)
    assert judge_mail(None, *known) == (Verdict.UNKNOWN, None, None)


@pytest.mark.parametrize(
    ("head", "automatic"),
    [
        (b"Auto-Submitted: auto-replied (vacation)", True),
        (b"auto-submitted: No", False),
        (b"Precedence: Bulk", True),
        (b"Precedence: first-class", False),
        (b"Return-Path: <>", True),
        (b"Return-Path: <a@b.example>", False),
        (b"", False),
    ],
)
def test_what_machines_send_is_distinguished_from_what_people_write(
    head: bytes, automatic: bool
) -> None:
    assert read_headers(head).automatic is automatic


def test_the_sender_is_the_address_that_answers_go_to_not_the_name_before_it() -> None:
    assert read_headers(b'From: "ceo@bank.example" <Evil@x.example>').sender == "evil@x.example"
    assert read_headers(b"From: anna@shop.example (Anna)").sender == "anna@shop.example"
    assert read_headers("From: Анна <анна@почта.рф>".encode()).sender == "анна@почта.рф"
    assert read_headers(b"From: undisclosed").sender is None


def test_a_message_without_an_id_is_known_by_its_headers() -> None:
    one, same, other = (
        read_headers(head)
        for head in (b"From: a@b.example", b"From: a@b.example", b"From: c@d.example")
    )
    assert one.message_id == same.message_id != other.message_id
    assert read_headers(b"Message-ID:\r\n <x@y>").message_id == "<x@y>"
    assert read_headers(b"Message-ID: <" + b"x" * 300 + b">").message_id.startswith("sha256:")


@pytest.mark.parametrize(
    "head",
    [
        b"To: =?utf-8?B?!!!?= <info+maps@example.com>",
        b"To: =?nonsense?Q?=FF?=\r\n\t<info+maps@example.com>",
        b"To: \xff\xfe\x80 info+maps@example.com",
        b"To: \0info+maps@example.com",
        b"To: " + b"(" * 5000 + b" info+maps@example.com",
        b"To: a@b.example, " * 400 + b"info+maps@example.com",
        b"To: ;;,,<<>> Team: info+maps@example.com;",
        b"To:info+maps@example.com\nTo: other@x.example",
    ],
    ids=range(8),
)
def test_hostile_headers_hide_no_address(head: bytes) -> None:
    assert addressed(read_headers(head), PLUS) == ("info+maps@example.com", "maps")


@given(st.binary(max_size=2000))
def test_no_header_raises_and_nothing_is_kept_that_a_database_refuses(head: bytes) -> None:
    headers = read_headers(b"From: " + head + b"\r\nTo: " + head)
    for text in (headers.message_id, headers.sender or "", *headers.addresses):
        assert "\0" not in text
        assert len(text) <= 330
        text.encode()


def test_a_hundred_kilobytes_of_addresses_are_read_at_once() -> None:
    many = b", ".join(b"a%d@b.example" % n for n in range(7000))
    assert len(read_headers(b"To: " + many).addresses) == 7000
    assert read_headers(b"To: " + b"a" * 100_000).addresses == ()
    assert read_headers(b"From: " + b"a@" * 50_000).sender == "a@a"


def test_a_site_s_address_must_be_able_to_carry_a_tag() -> None:
    for good in ("", "Info@Example.com", "@calls.example.com"):
        assert site(mail=good).mail == good
    for bad in (
        "info",
        "info+x@example.com",
        "info@",
        "info@example",
        "a b@example.com",
        "<a@example.com>",
    ):
        with pytest.raises(InvalidInput, match=r"info@example\.com"):
            site(mail=bad)


def test_a_password_never_crosses_a_network_unprotected() -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        assert box(host=host, security=Security.PLAIN, port=143).port == 143
    for host in ("10.0.0.1", "imap.example.com", "127.0.0.1.evil.org"):
        with pytest.raises(InvalidInput, match="unprotected"):
            box(host=host, security=Security.PLAIN)


@pytest.mark.parametrize(
    "fields", [{"host": "a b"}, {"host": ""}, {"port": 0}, {"user": ""}, {"folder": "a\r\nb"}]
)
def test_a_mailbox_that_cannot_be_read_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        box(**fields)


def test_a_tag_is_what_is_in_an_address() -> None:
    fields: dict[str, Any] = {"id": "1", "site_id": "shop", "created_at": NOON}
    assert MailChannel(tag="business-cards", channel="Cards", **fields).tag == "business-cards"
    for tag in ("", "a b", "a@b", "+x", "x" * 33, "-x"):
        with pytest.raises(InvalidInput):
            MailChannel(tag=tag, channel="Cards", **fields)
