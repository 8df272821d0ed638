"""What docker-compose.yml mounts, sets and starts must exist in the project: nothing else would
notice a drift.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from router import supervise
from router.config import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service.get("image") == "ringtrace")
DOCKERFILE: str = SERVICES["prepare"]["build"]["dockerfile_inline"]


def test_one_process_of_each_kind_is_started() -> None:
    assert OURS == ["agent", "asterisk", "prepare", "web", "worker"]


@pytest.mark.parametrize("name", OURS)
def test_every_service_sees_the_same_state_at_the_same_path(name: str) -> None:
    service = SERVICES[name]
    home = service["environment"]["RINGTRACE_HOME"]
    assert service["volumes"] == [f"state:{home}"]
    assert service["network_mode"] == "host"


def test_every_setting_that_is_passed_is_one_we_read() -> None:
    passed = {
        name.removeprefix("RINGTRACE_").lower()
        for name in SERVICES["web"]["environment"]
        if name.startswith("RINGTRACE_")
    }
    assert passed <= set(Settings.model_fields)


def test_the_settings_written_there_are_accepted() -> None:
    written = {
        name.removeprefix("RINGTRACE_").lower(): value
        for name, value in SERVICES["web"]["environment"].items()
        if value is not None
    }
    assert Settings(**written).home == Path("/var/lib/ringtrace")


def test_asterisk_reads_the_configuration_that_prepare_writes() -> None:
    home = Path(SERVICES["asterisk"]["environment"]["RINGTRACE_HOME"])
    command = SERVICES["asterisk"]["command"].split()
    assert command == [
        "asterisk",
        "-f",
        "-C",
        str(Settings(home=home).asterisk_etc / "asterisk.conf"),
    ]


@pytest.mark.parametrize("name", sorted(set(OURS) - {"asterisk"}))
def test_the_program_that_a_service_starts_is_installed_by_our_package(name: str) -> None:
    program, _ = SERVICES[name]["command"].split()
    assert program in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]


def test_everything_copied_into_the_image_exists_and_all_that_is_packed_is_copied() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert [source for source in copied if not (ROOT / source).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packed = {
        *project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"],
        project["project"]["readme"],
    }
    assert packed <= set(copied)


def test_asterisk_has_the_environment_of_one_that_we_start_ourselves() -> None:
    assert SERVICES["asterisk"]["environment"].items() >= supervise.SHORT_LOOKUPS.items()


def test_services_start_only_after_what_they_need_is_defined() -> None:
    needed = {other for service in SERVICES.values() for other in service.get("depends_on", ())}
    assert needed <= set(SERVICES)
    volumes = {mount.split(":")[0] for service in SERVICES.values() for mount in service["volumes"]}
    assert volumes == set(COMPOSE["volumes"])


def test_no_variable_must_be_set_for_the_services_that_are_started_by_default() -> None:
    """Compose interpolates every service, also those of profiles that are not asked for."""
    text = (ROOT / "docker-compose.yml").read_text()
    assert re.findall(r"\$\{[A-Z_]+:?\?", text) == []


def test_every_setting_that_containers_may_need_is_passed_on() -> None:
    written_by_the_image = {
        "home",
        "asterisk",
        "asterisk_etc_path",
        "ami_host",
        "cel_log_path",
        "spool_path",
    }
    set_by_commands = {"demo"}
    passed = {name.removeprefix("RINGTRACE_").lower() for name in SERVICES["web"]["environment"]}
    assert set(Settings.model_fields) - written_by_the_image - set_by_commands <= passed
