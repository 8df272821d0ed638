"""A carrier that moves, or whose name is known later than Asterisk starts, does not lose its
calls.
"""

from collections.abc import Iterable
from pathlib import Path

import pytest

from router.asterisk.trunk_dns import KEPT, REST, Names
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

    def __init__(
        self, directory: Path, *trunks: Trunk, identified: Iterable[str] = ("carrier",)
    ) -> None:
        self.stack, self.means = Stack(*identified), {HOST: {"192.0.2.1"}}
        written = Trunks(directory)
        for trunk in trunks or (Trunk(name="carrier", kind=TrunkKind.IP, host=HOST),):
            written.add(trunk, None if trunk.kind is TrunkKind.IP else "long-enough-1")

        async def resolve(host: str) -> frozenset[str]:
            return frozenset(self.means.get(host, ()))

        self.directory, self._resolve = directory, resolve
        self.names = self.again()

    def again(self) -> Names:
        """As after a restart of the agent."""
        return Names(self.directory, lambda: self.stack, self._resolve)  # type: ignore[arg-type, return-value]

    def matches(self) -> set[str]:
        """The addresses that Asterisk is given beside the name."""
        lines = (self.directory / "trunk-addresses.conf").read_text().splitlines()
        return {line.removeprefix("match = ") for line in lines if line.startswith("match")}


async def test_a_carrier_that_moved_is_known_by_its_new_address_and_for_a_day_by_the_old_one(
    tmp_path: Path,
) -> None:
    watched = Watched(tmp_path)
    assert await watched.names.look(0) == ["carrier"]  # seen for the first time
    assert await watched.names.look(30) == []
    watched.means[HOST] = {"192.0.2.9"}
    assert await watched.names.look(90) == ["carrier"]
    assert watched.matches() == {"192.0.2.1", "192.0.2.9"}
    assert await watched.names.look(120) == []
    assert watched.stack.reloads == 2
    assert await watched.names.look(KEPT + 90) == []
    assert watched.matches() == {"192.0.2.9"}


async def test_a_name_that_was_unknown_when_asterisk_started_is_read_once_it_is_known(
    tmp_path: Path,
) -> None:
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


async def test_a_carrier_that_names_some_of_its_addresses_at_a_time_is_known_by_all_and_read_for_new_ones_alone(  # noqa: E501
    tmp_path: Path,
) -> None:
    watched = Watched(tmp_path)
    day = range(0, 24 * 3600, 30)
    for at in day:
        first = at // 30 * 2 % 6
        watched.means[HOST] = {f"192.0.2.{first}", f"192.0.2.{first + 1}"}
        await watched.names.look(at)
    assert watched.matches() == {f"192.0.2.{last}" for last in range(6)}
    assert watched.stack.reloads <= 3
    # nor is it forgotten when the agent starts again
    assert await watched.again().look(day[-1] + 30) == []


async def test_a_name_with_ever_new_addresses_is_read_once_a_minute_at_most_and_the_file_stays_small(  # noqa: E501
    tmp_path: Path,
) -> None:
    watched = Watched(tmp_path)
    for turn in range(400):
        watched.means[HOST] = {f"198.51.{turn // 200}.{turn % 200}"}
        await watched.names.look(turn * 30)
    assert watched.stack.reloads <= 400 * 30 / REST + 1
    assert len(watched.matches()) == 100


async def test_a_memory_that_was_spoilt_is_made_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    (tmp_path / "trunk-addresses.conf").write_text('; seen {"carrier": {"x\\ny": 1}}\n')
    assert await watched.again().look(0) == ["carrier"]
    assert watched.matches() == {"192.0.2.1"}


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
    registered = Trunk(
        name="carrier", kind=TrunkKind.REGISTRATION, host=f"{HOST}:5070", user="7495"
    )
    assert await Watched(tmp_path, registered, identified=()).names.look(0) == ["carrier"]
