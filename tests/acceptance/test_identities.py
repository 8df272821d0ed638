"""Which number a call is for, and who calls, wherever and however a carrier writes it.

No process of ours runs: the dialplan reads the INVITE alone.
"""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio

from router.domain.calls.call import Call
from tests.acceptance.dialplan_world import NUMBERS, World, rings, world
from tests.acceptance.raw_media import sdp
from tests.acceptance.raw_message import SipMessage

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plan() -> AsyncIterator[World]:
    async with world() as made:
        yield made


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def quiet(plan: World) -> None:
    await plan.forget()


@pytest.mark.parametrize(
    ("user", "to", "did"),
    [
        (NUMBERS[0], NUMBERS[0], NUMBERS[0]),
        (NUMBERS[1], NUMBERS[0], NUMBERS[0]),  # the Request-URI has the login, To the DID
        (NUMBERS[1], NUMBERS[1], NUMBERS[1]),  # the login is the number
        (NUMBERS[1], "5559999", "5559999"),
        # an account that is not our login; To is a number of ours
        (
            "5551234",
            NUMBERS[0],
            NUMBERS[0],
        ),
        ("5551234", "5559999", "5551234"),
        ("operator", f"+{NUMBERS[0]}", f"+{NUMBERS[0]}"),
        ("h", NUMBERS[0], NUMBERS[0]),
        ("12", "34", ""),
    ],
)
async def test_the_did_is_the_first_place_that_holds_a_number_of_ours(
    plan: World, user: str, to: str, did: str
) -> None:
    plan.route("PJSIP/first~20")
    refusing = asyncio.create_task(rings(plan, plan.first, "486 Busy Here"))
    host, port = plan.carrier.peer
    await plan.call(to, uri=f"sip:{user}@{host}:{port}")
    await refusing
    assert (await plan.ended())[0].did == did


@pytest.mark.parametrize(
    "value", ["<sip:+{0}@127.0.0.1>", '"to: <5@x>" <sip:+{0}@x>', "sip:+{0}@x"]
)
@pytest.mark.parametrize("header", ["P-Called-Party-ID: ", "To"])
async def test_the_did_is_found_in_the_uri_whatever_name_stands_before_it(
    plan: World, header: str, value: str
) -> None:
    plan.route("PJSIP/first~20")
    refusing = asyncio.create_task(rings(plan, plan.first, "486 Busy Here"))
    dialog, said = plan.carrier.new_dialog(NUMBERS[1]), value.format(NUMBERS[0])
    headers = () if header == "To" else (header + said,)
    dialog.remote = said if header == "To" else dialog.remote
    await dialog.ask("INVITE", headers, sdp(await plan.carrier.new_media()))
    await refusing
    assert (await plan.ended())[0].did == f"+{NUMBERS[0]}"


LOGIN, OURS, MAIN = NUMBERS[1], NUMBERS[0], "74959990000"
FORWARDED = {
    "Diversion": (LOGIN, (f"Diversion: <sip:+{OURS}@x>;reason=unconditional",), f"+{OURS}"),
    "Diversion without brackets": (LOGIN, (f"Diversion: sip:{OURS}@x;reason=no-answer",), OURS),
    "the older Diversion": (
        MAIN,
        (f"Diversion: <sip:{MAIN}@x>", f'Diversion: "a, <b>" <tel:+{OURS}>'),
        f"+{OURS}",
    ),
    "History-Info": (
        MAIN,
        (f"History-Info: <sip:%2B{OURS}@x?Reason=SIP%3Bcause%3D302>;index=1, <sip:{MAIN}@y>",),
        f"+{OURS}",
    ),
    "History-Info in two headers": (
        MAIN,
        ("History-Info: <sip:5550000@x>;index=1", f"History-Info: <sip:+{OURS}@x>;index=1.1"),
        f"+{OURS}",
    ),
    "a number that is none of ours": (MAIN, ("Diversion: <sip:+79990000000@x>",), MAIN),
    "a login, and no number of ours": (LOGIN, ("Diversion: <sip:+79990000000@x>",), LOGIN),
    "much of it": (LOGIN, ("Diversion: " + "<" * 900 + f"sip:{OURS}@x>",), LOGIN),
}


@pytest.mark.parametrize(("user", "headers", "did"), FORWARDED.values(), ids=FORWARDED)
async def test_a_did_that_was_forwarded_is_found_where_the_carrier_writes_it(
    plan: World, user: str, headers: tuple[str, ...], did: str
) -> None:
    assert await did_of(plan, user, user, *headers) == did


async def test_no_header_changes_the_number_that_the_request_uri_is_for(plan: World) -> None:
    hostile = f"<sip:+{LOGIN}@x>"
    names = ("Diversion", "History-Info", "P-Called-Party-ID")
    assert await did_of(plan, OURS, LOGIN, *(f"{name}: {hostile}" for name in names)) == OURS


LOCAL = f"{OURS[4:]};isub=1;phone-context=+{OURS[:4]}"


@pytest.mark.parametrize("place", ["Request-URI", "To", "P-Called-Party-ID"])
async def test_a_local_number_follows_the_digits_of_its_context(plan: World, place: str) -> None:
    user = LOCAL if place == "Request-URI" else LOGIN
    to = LOCAL if place == "To" else LOGIN
    headers = (f"P-Called-Party-ID: <tel:{LOCAL}>",) if place.startswith("P") else ()
    assert await did_of(plan, user, to, *headers) == f"+{OURS}"


async def test_a_local_caller_follows_the_digits_of_the_context(plan: World) -> None:
    call, _ = await refused_call(plan, number="5550002;phone-context=+7916")
    assert call.caller_raw == "+79165550002"


async def did_of(plan: World, user: str, to: str, *headers: str) -> str:
    """The number of a call that the company is too busy for."""
    plan.route("PJSIP/first~20")
    refusing = asyncio.create_task(rings(plan, plan.first, "486 Busy Here"))
    host, port = plan.carrier.peer
    await plan.call(to, *headers, uri=f"sip:{user}@{host}:{port}")
    await refusing
    return (await plan.ended())[0].did


ASSERTED = "P-Asserted-Identity: "
CALLERS = {
    "a list with a name": (ASSERTED + '"A, <b>" <sip:ivan@x>, <tel:+7-916-555-00-01>',),
    "two headers": (ASSERTED + "<sip:ivan@x>", ASSERTED + "<sip:+79165550001@x;user=phone>"),
    "a list of one number": (ASSERTED + "<sip:+79165550001@x>,<tel:+79165550001>",),
    "one value": (ASSERTED + '"Ivan <1>" <sip:+79165550001@x>',),
}


@pytest.mark.parametrize("headers", CALLERS.values(), ids=CALLERS)
async def test_the_caller_is_the_first_number_that_the_carrier_asserts(
    plan: World, headers: tuple[str, ...]
) -> None:
    call, invite = await refused_call(plan, *headers, "Privacy: id", number="anonymous")
    assert (call.caller_raw, call.withheld) == ("+79165550001", True)
    assert "anonymous@" in invite.header("From")


@pytest.mark.parametrize(
    ("header", "withheld"),
    [
        ("Remote-Party-ID: <sip:+74950000000@x>;party=called", False),
        ("Privacy: header;session", False),
        ("Privacy: none", False),
        ("Privacy: User;critical", True),
        ("Privacy: id", True),
    ],
)
async def test_a_caller_whom_nobody_asserts_is_in_from_and_may_be_withheld(
    plan: World, header: str, withheld: bool
) -> None:
    call, invite = await refused_call(plan, header, number="+79165550002")
    assert (call.caller_raw, call.withheld) == ("+79165550002", withheld)
    assert ("anonymous@" in invite.header("From")) is withheld


async def refused_call(plan: World, *headers: str, number: str) -> tuple[Call, SipMessage]:
    """A call that the company is too busy for, and the INVITE that the company got."""
    plan.route("PJSIP/first~20")
    calling = asyncio.create_task(plan.call(NUMBERS[0], *headers, number=number))
    invite = await plan.asked(plan.first)
    plan.first.reply(invite, "486 Busy Here")
    await calling
    return (await plan.ended())[0], invite


BODY = "v=0\r\no=- 1 1 IN IP4 {0}\r\ns=-\r\nc=IN IP4 {0}\r\nt=0 0\r\nm=audio {1} RTP/AVP 8\r\n"
PART = "--b\r\nContent-Type: application/{0}\r\n\r\n{1}\r\n"
SHORT = {"Via": "v", "From": "f", "To": "t", "Call-ID": "i", "Contact": "m", "Content-Type": "c"}
PARTS = "multipart/mixed; boundary=b"


@pytest.mark.parametrize(
    ("uri", "names", "kind"),
    [
        ("sip:+{0}@127.0.0.1;user=phone", SHORT, "application/sdp"),
        ("tel:+{0};npdi;rn=+79160000000;isub=1", {}, PARTS),
        ("SIP:+7(495)123-45-67@HOST.EXAMPLE", {"From": "From\t", "To": "TO"}, PARTS),
    ],
    ids=["short names of headers", "tel", "visual separators"],
)
async def test_an_invite_is_read_whatever_its_spelling(
    plan: World, uri: str, names: dict[str, str], kind: str
) -> None:
    """Headers may have short names and go on in the next line; a body may have parts, of which SDP
    is the second.
    """
    plan.route("PJSIP/first~20")
    carrier, call_id = plan.carrier, uuid4().hex
    body = BODY.format(carrier.host, (await carrier.new_media()).port)
    if kind == PARTS:
        body = PART.format("isup", "\x01\x11") + PART.format("sdp", body) + "--b--\r\n"
    lines = {
        "Via": f"SIP/2.0/UDP {carrier.host}:{carrier.port};rport;branch=z9hG4bK{call_id}",
        "From": f'"Ivan Petrov"\r\n <sip:+7-916-123-00-00@{carrier.host}>\r\n\t;tag=1',
        "To": f"<{uri.format(NUMBERS[0])}>",
        "Call-ID": call_id,
        "CSeq": "1 INVITE",
        "Contact": f"<sip:[2001:db8::1]:{carrier.port}>",
        "Max-Forwards": "70",
        "Subject": "y" * 8000,
    }
    headers = [f"{names.get(name, name)}: {value}" for name, value in lines.items()]
    carrier.send(f"INVITE {uri.format(NUMBERS[0])} SIP/2.0", headers, body, kind=kind)
    await rings(plan, plan.first, "486 Busy Here")
    answer = await carrier.expect(lambda m: m.status > 200 and m.header("Call-ID") == call_id)
    said = (*headers[:2], f"To: {answer.header('To')}", headers[3], "CSeq: 1 ACK")
    carrier.send(f"ACK {uri.format(NUMBERS[0])} SIP/2.0", said)
    assert answer.status == 486
    (call,) = await plan.ended()
    assert (call.did, call.caller_raw) == (f"+{NUMBERS[0]}", "+7-916-123-00-00")
    assert call.caller_name == "Ivan Petrov"
