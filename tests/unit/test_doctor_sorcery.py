"""Doctor says why an Asterisk that reads PJSIP from a database has not loaded a trunk."""

from pathlib import Path

import pytest

from router.cli.doctor.trunks import _how_to_load

RELOAD = "module reload"
FROM_DATABASE = "[res_pjsip]\nendpoint = realtime,ps_endpoints\naor=realtime,ps_aors\n"
FROM_FILES = (
    "endpoint = config,pjsip.conf,criteria=type=endpoint\naor=config,pjsip.conf,criteria=type=aor\n"
)


@pytest.mark.parametrize("text", [None, "", "[res_pjsip]\n", FROM_DATABASE + FROM_FILES])
def test_where_files_are_read_too_a_reload_is_advised(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "sorcery.conf"
    if text is not None:
        path.write_text(text)
    assert RELOAD in _how_to_load(path)


def test_where_only_a_database_is_read_the_missing_lines_are_named(tmp_path: Path) -> None:
    path = tmp_path / "sorcery.conf"
    path.write_text(f"{FROM_DATABASE}aor=config,pjsip.conf,criteria=type=aor\n")
    advice = _how_to_load(path)
    assert "`endpoint=config,pjsip.conf,criteria=type=endpoint`" in advice
    assert "type=aor" not in advice
    assert RELOAD not in advice
