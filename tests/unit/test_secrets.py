"""The file of secrets loses nothing when several commands change it at once."""

import multiprocessing
from pathlib import Path

from router.secrets import keep_mail_password, keep_token, load_secrets


def _keep(home: Path, first: int) -> None:
    for number in range(first, first + 10):
        keep_token(home, f"c{number}", {"token": f"t{number}"})


def test_tokens_that_four_commands_keep_at_once_are_all_kept(tmp_path: Path) -> None:
    made = load_secrets(tmp_path)
    context = multiprocessing.get_context("spawn")
    commands = [context.Process(target=_keep, args=(tmp_path, 10 * n)) for n in range(4)]
    for command in commands:
        command.start()
    for command in commands:
        command.join()
        assert command.exitcode == 0

    known = load_secrets(tmp_path)
    assert known.tokens == {f"c{number}": {"token": f"t{number}"} for number in range(40)}
    assert known.session_key == made.session_key
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_what_is_forgotten_takes_nothing_else_along(tmp_path: Path) -> None:
    keep_token(tmp_path, "amo", {"token": "x"})
    keep_mail_password(tmp_path, "shop", "y")
    keep_token(tmp_path, "amo", None)
    known = load_secrets(tmp_path)
    assert (known.tokens, known.mail_passwords) == ({}, {"shop": "y"})
