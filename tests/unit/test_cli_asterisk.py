"""What Asterisk's console says of trunks, as 22.10.1 prints it, and what destinations dial."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from router.asterisk.pjsip import Contact, Pjsip
from router.asterisk.process import Console
from router.asterisk.trunks import Trunk, TrunkKind
from router.cli.destination import parse_step
from router.cli.doctor.cel import _behind
from router.cli.trunk_state import Seen, sharing
from router.domain.visitors.site import Destination, Step
from router.errors import InvalidInput
from router.service.calls.ports import Cursor

ENDPOINTS = """
 Endpoint:  <Endpoint/CID.....................................>  <State.....>  <Channels.>
    I/OAuth:  <AuthId/UserName...........................................................>
==========================================================================================

 Endpoint:  carrier-with-long-name                               Unavailable   0 of inf
    OutAuth:  carrier-with-long-name/79990001122
        Aor:  carrier-with-long-name                             0
      Contact:  carrier-with-long-name/sip:sip.example.inv aa599d8361 NonQual        -nan

 Endpoint:  desk/204                                             Not in use    0 of inf
   Identify:  company-identify/company
        Match: 127.0.0.1/32

Objects found: 2
"""
REGISTRATIONS = """
 <Registration/ServerURI..............................>  <Auth....................>  <Status.......>
==========================================================================================

 carrier-with-long-name/sip:sip.example.invalid:5070     carrier-with-long-name      Rejected          (exp. 6s)
 other/sip:127.0.0.1:5070                                other                       Registered        (exp. 285s)

Objects found: 2
"""  # noqa: E501
CONTACTS = """
  Contact:  <Aor/ContactUri..............................> <Hash....> <Status> <RTT(ms)..>
==========================================================================================

  Contact:  carrier-with-long-name/sip:sip.example.invalid aa599d8361 NonQual        -nan
  Contact:  carrier-with-long-name_hint/sip:sip.example.in aa599d8361 Unavail       0.000
  Contact:  desk/sip:127.0.0.1:31062                       16eb0b5879 NonQual        -nan
  Contact:  desk/sip:127.0.0.1:31063                       16eb0b5880 NonQual        -nan
  Contact:  company/sip:127.0.0.1:31061                    16eb0b5878 Avail         0.812

Objects found: 2
"""
IDENTIFIES = """
Identify:  <Identify/Endpoint...........................................................>
      Match:  <criteria...........................>
==========================================================================================

 Identify:  carrier-identify/carrier
      Match: 192.0.2.1/32
      Match: 2001:db8::1/128

 Identify:  by-hand/pstn
      Match: 192.0.2.0/24
      Match: Header: X-Trunk: one


Objects found: 2
"""


class Recorded(Console):
    """A console that repeats what a real one said."""

    async def run(self, command: str) -> str:
        said = {
            "endpoints": ENDPOINTS,
            "registrations": REGISTRATIONS,
            "contacts": CONTACTS,
            "identifies": IDENTIFIES,
        }
        return said[command.rpartition(" ")[2]]


@pytest.fixture
def pjsip() -> Pjsip:
    return Pjsip(Recorded(launch="", config=None))


async def test_endpoints_registrations_and_contacts_are_read_from_the_console(pjsip: Pjsip) -> None:
    assert await pjsip.endpoints() == {"carrier-with-long-name", "desk"}
    assert await pjsip.registrations() == {
        "carrier-with-long-name": "Rejected",
        "other": "Registered",
    }
    assert await pjsip.contacts() == {
        "carrier-with-long-name": [
            Contact(uri="sip:sip.example.in", state="Unavail", milliseconds=None)
        ],
        "desk": [
            Contact(uri=f"sip:127.0.0.1:{port}", state="NonQual", milliseconds=None)
            for port in (31062, 31063)
        ],
        "company": [Contact(uri="sip:127.0.0.1:31061", state="Avail", milliseconds=0.812)],
    }


async def test_a_trunks_state_says_what_an_administrator_asks_for(pjsip: Pjsip) -> None:
    seen = await Seen.ask(pjsip)
    carrier = Trunk(
        name="carrier-with-long-name",
        kind=TrunkKind.REGISTRATION,
        host="sip.example.invalid",
        user="7",
    )
    assert seen.state(carrier) == "rejected, does not answer OPTIONS"
    assert seen.state(Trunk(name="desk", kind=TrunkKind.ACCOUNT)) == "2 phones registered, all ring"
    assert seen.state(Trunk(name="gone", kind=TrunkKind.IP, host="127.0.0.1")) == "not loaded"


async def test_two_endpoints_with_one_address_are_found_hand_written_ones_too(pjsip: Pjsip) -> None:
    networks = await pjsip.networks()
    assert sharing(networks, ()) == [("carrier", "pstn", "192.0.2.1/32")]
    both = [
        Trunk(name=name, kind=TrunkKind.REGISTRATION, host="192.0.2.1", user="7")
        for name in ("carrier", "pstn")
    ]
    assert sharing(networks, both) == []  # known by the line that we gave with each


@pytest.mark.parametrize(
    ("text", "dial", "seconds"),
    [
        ("PJSIP/company", "PJSIP/company", 30),
        ("PJSIP/+74950000000@carrier:20", "PJSIP/+74950000000@carrier", 20),
        ("PJSIP/204@pbx&PJSIP/205@pbx:15", "PJSIP/204@pbx&PJSIP/205@pbx", 15),
    ],
)
def test_a_step_is_a_dial_string_and_the_seconds_after_the_last_colon(
    text: str, dial: str, seconds: int
) -> None:
    assert parse_step(text) == Step(dial=dial, ring_seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "SIP/x", "PJSIP/x:", "PJSIP/x:0", "PJSIP/x:9999999999", "PJSIP/x,60"]
)
def test_a_step_that_cannot_be_dialled_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_step(text)


def test_the_endpoints_of_a_destination_are_those_of_all_its_steps() -> None:
    steps = (
        Step(dial="PJSIP/company"),
        Step(dial="PJSIP/204@pbx&PJSIP/+7495@carrier&Local/600@ext-queues"),
    )
    destination = Destination(id="a", name="a", steps=steps, created_at=datetime.now(UTC))
    assert destination.phones() == {"company", "pbx", "carrier"}
    assert destination.extensions() == {"600@ext-queues"}


def test_the_agent_is_behind_by_what_it_has_not_read_in_the_cel_log_and_its_rotated_files(
    tmp_path: Path,
) -> None:
    old, new = tmp_path / "cel.csv.1", tmp_path / "cel.csv"
    old.write_bytes(b"x" * 100)
    identity = f"{old.stat().st_dev}:{old.stat().st_ino}@1768912345.000000"
    assert _behind(old, Cursor(file=identity, offset=40)) == 60
    new.write_bytes(b"y" * 30)
    assert _behind(new, Cursor(file=identity, offset=40)) == 90
    assert _behind(new, None) == 130
    assert _behind(new, Cursor(file="1:2@3", offset=0)) is None
