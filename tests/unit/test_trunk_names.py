"""A carrier that moves, or whose name is known later than Asterisk starts, does not lose its calls."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from router.asterisk.names import REST, Names
from router.asterisk.trunks import Trunk, TrunkKind, Trunks

HOST = "sip.carrier.example"


class Stack:
    """A SIP stack that knows trunks by the addresses that their names had when it read them."""

    def __init__(self, *identified: str) -> None:
        self.known, self.reloads = set(identified), 0

    async def identified(self, name: str) -> bool:
        return name in self.known

    async def reload(self) -> None:
        self.reloads += 1
        self.known.add("carrier")


class Watched:
    """Trunks, what their names mean, and the stack."""

    def __init__(self, directory: Path, *trunks: Trunk, identified: Iterable[str] = ("carrier",)) -> None:
        self.stack, self.means = Stack(*identified), {HOST: {"192.0.2.1"}}
        written = Trunks(directory)
        for trunk in trunks or (Trunk(name="carrier", kind=TrunkKind.IP, host=HOST),):
            written.add(trunk, None if trunk.kind is TrunkKind.IP else "secret")

        async def resolve(host: str) -> frozenset[str]:
            return frozenset(self.means.get(host, ()))

        self.names = Names(written, lambda: self.stack, resolve)  # type: ignore[arg-type, return-value]


async def test_a_carrier_that_moved_is_known_by_its_new_address(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    assert await watched.names.look(0) == []
    watched.means[HOST] = {"192.0.2.9"}
    assert await watched.names.look(30) == ["carrier"]
    assert await watched.names.look(60) == []
    assert watched.stack.reloads == 1


async def test_a_name_that_nobody_knew_when_asterisk_started_is_read_once_it_is_known(tmp_path: Path) -> None:
    watched = Watched(tmp_path, identified=())
    watched.means.clear()
    assert await watched.names.look(0) == []
    watched.means[HOST] = {"192.0.2.1"}
    assert await watched.names.look(30) == ["carrier"]
    assert await watched.names.look(60) == []


async def test_a_name_server_that_is_away_changes_nothing(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    await watched.names.look(0)
    watched.means.clear()
    assert await watched.names.look(30) == []
    watched.means[HOST] = {"192.0.2.1"}
    assert await watched.names.look(60) == []


async def test_a_carrier_that_tells_its_addresses_in_turn_is_not_read_every_time(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    for at in range(0, 301, 30):
        watched.means[HOST] = {f"192.0.2.{at}"}
        await watched.names.look(at)
    assert watched.stack.reloads == 1
    assert await watched.names.look(30 + REST) == ["carrier"]  # it told of another one meanwhile, and that is the last
    assert await watched.names.look(60 + REST) == []


@pytest.mark.parametrize(
    "trunk",
    [
        Trunk(name="carrier", kind=TrunkKind.IP, host="192.0.2.7"),
        Trunk(name="carrier", kind=TrunkKind.IP, host=HOST, match=("192.0.2.0/24",)),
        Trunk(name="carrier", kind=TrunkKind.ACCOUNT),
    ],
)
async def test_who_is_not_known_by_a_name_is_not_looked_up(tmp_path: Path, trunk: Trunk) -> None:
    watched = Watched(tmp_path, trunk, identified=())
    assert await watched.names.look(0) == []


async def test_a_carrier_that_we_register_at_is_looked_up_too(tmp_path: Path) -> None:
    registered = Trunk(name="carrier", kind=TrunkKind.REGISTRATION, host=f"{HOST}:5070", user="7495")
    assert await Watched(tmp_path, registered, identified=()).names.look(0) == ["carrier"]
