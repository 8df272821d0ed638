"""Trunks in their file: read again, changed and removed, one beside the other."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from router.asterisk.trunks import Cli, DidFrom, Trunks
from router.errors import Conflict, InvalidInput, NotFound
from tests.unit.trunk_samples import GOOD, account, ip, registration, secrets, written


def test_a_change_leaves_the_others_the_password_and_the_place_in_the_file(tmp_path: Path) -> None:
    trunks = Trunks(tmp_path)
    for trunk in ALL:
        trunks.add(trunk, f"secret-of-{trunk.name}")
    trunks.change(registration("two", host="new.example.com"))
    assert [trunk.name for trunk in trunks.all()] == ["one", "two", "three"]
    assert "server_uri = sip:new.example.com" in written(tmp_path)
    assert "password = secret-of-two\n" in secrets(tmp_path)
    trunks.change(registration("two"), "a;new one".replace(" ", "-"))
    assert "password = a\\;new-one\n" in secrets(tmp_path)
    assert "secret-of-three" in secrets(tmp_path)
    with pytest.raises(NotFound):
        trunks.change(ip("four"))


def test_a_trunk_that_an_older_version_wrote_is_written_as_this_one_does(tmp_path: Path) -> None:
    trunks = Trunks(tmp_path)
    trunks.add(registration(), "a;b")
    right = trunks.content()
    for file in (tmp_path / "trunks.conf", tmp_path / "trunk-secrets.conf"):
        file.write_text(file.read_text().replace("ringtrace-", "rt-") + "[mine]\n")
    trunks.refresh()
    assert trunks.content() == tuple(text + "[mine]\n" for text in right)


ALL = (
    ip("one", match=("192.0.2.7",)),
    registration("two", did_from=DidFrom.PCPID, cli=Cli.PASS),
    account("three"),
)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    for trunk in ALL:
        Trunks(tmp_path).add(trunk, GOOD)
    assert Trunks(tmp_path).all() == list(ALL)


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    Trunks(tmp_path).add(ip())
    with pytest.raises(Conflict, match="remove it first"):
        Trunks(tmp_path).add(ip(host="192.0.2.2"))


def test_removing_one_leaves_the_others_and_what_people_wrote(tmp_path: Path) -> None:
    trunks = Trunks(tmp_path)
    for trunk in ALL:
        trunks.add(trunk, f"secret-of-{trunk.name}")
    file = tmp_path / "trunks.conf"
    file.write_text(file.read_text().replace("; trunk", "; mine\n[mine]\n; trunk", 1))
    trunks.remove("two")
    assert [trunk.name for trunk in trunks.all()] == ["one", "three"]
    assert "[mine]" in file.read_text()
    assert "secret-of-two" not in secrets(tmp_path)
    assert "secret-of-three" in secrets(tmp_path)
    with pytest.raises(NotFound):
        trunks.remove("two")


def test_a_block_that_was_spoilt_is_named(tmp_path: Path) -> None:
    Trunks(tmp_path).add(ip())
    file = tmp_path / "trunks.conf"
    file.write_text(file.read_text().replace('"ip"', '"pigeon"'))
    with pytest.raises(InvalidInput, match="cannot be read"):
        Trunks(tmp_path).all()


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(host=st.text(max_size=20), number=st.text(max_size=12), password=st.text(max_size=12))
@example(host="", number="", password="0")  # one that is accepted
def test_nothing_that_is_accepted_adds_a_line(
    tmp_path: Path, host: str, number: str, password: str
) -> None:
    for file in tmp_path.iterdir():
        file.unlink()
    try:
        trunk = registration(host=host or "h", number=number or None)
        Trunks(tmp_path).add(trunk, password)
    except InvalidInput:
        return
    assert len(written(tmp_path)) == 22
    assert secrets(tmp_path).count("\n") == 6
    assert Trunks(tmp_path).all() == [trunk]
