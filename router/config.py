"""Every setting, in one frozen value: environment (RINGTRACE_…), else
$RINGTRACE_HOME/ringtrace.toml, else the default.

Secrets are not settings: see `router.secrets`.
"""

import difflib
import hashlib
import os
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from router.errors import ConfigurationError
from router.setting_types import DeskSettings, ProxyAddress, WebAddress

# What is read elsewhere: by asterisk.sh, and by commands that take a password.
OTHER_VARIABLES = {
    "RINGTRACE_CACHE",
    "RINGTRACE_ASTERISK_PROGRAM",
    "RINGTRACE_ASTERISK_COMMAND",
    "RINGTRACE_TRUNK_PASSWORD",
}


class Settings(DeskSettings):
    """What may differ between installations. Every path below `home` follows it."""

    model_config = SettingsConfigDict(
        env_prefix="RINGTRACE_", env_ignore_empty=True, frozen=True, extra="forbid"
    )

    home: Path = Field(Path("var"), description="directory for all state")
    database_url: str = Field("", description="SQLAlchemy URL; empty means SQLite in home")
    region: str = Field(
        "RU", pattern="^[A-Z]{2}$", description="country for numbers in national format, ISO 3166"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="lowest level that is logged"
    )

    web_host: str = Field("127.0.0.1", description="address of the pages and the API")
    web_port: int = Field(8080, ge=1, le=65535, description="TCP port of the pages and the API")
    public_url: WebAddress = Field(
        "", description="public URL of the pages; empty: web_host:web_port"
    )

    demo: bool = Field(
        False, description="pages say that all data are invented; `ringtrace demo` sets it"
    )
    places_path: str = Field(
        "",
        description="GeoIP file in MaxMind's format (.mmdb); empty: no places of visitors",
    )

    asterisk: Literal["embedded", "external"] = Field(
        "embedded",
        description="embedded: `ringtrace run` starts Asterisk; external: your own Asterisk",
    )
    asterisk_etc_path: str = Field(
        "", description="configuration directory of an external Asterisk, e.g. /etc/asterisk"
    )
    ami_host: str = Field(
        "127.0.0.1", description="address of AMI; use loopback, AMI is not encrypted"
    )
    ami_port: int = Field(5038, ge=1, le=65535, description="TCP port of AMI")
    sip_bind: str = Field("0.0.0.0", description="address of SIP and RTP")  # noqa: S104
    sip_port: int = Field(5060, ge=1, le=65535, description="SIP over UDP and TCP")
    sip_bind_v6: str = Field("", description="IPv6 address of SIP, :: for all; empty: no IPv6")
    sip_tls_port: int = Field(0, ge=0, le=65535, description="SIP over TLS, usually 5061; 0: none")
    sip_tls_certificate: str = Field(
        "", description="PEM file; needed if others connect to this server"
    )
    sip_tls_key: str = Field(
        "", description="PEM file; empty: the key is in the certificate's file"
    )
    sip_tls_authorities: str = Field(
        "/etc/ssl/certs/ca-certificates.crt",
        description="PEM file with authorities for carriers' certificates; "
        "empty: certificates are not verified",
    )
    rtp_start: int = Field(10000, ge=1024, le=65000, description="first UDP port of RTP")
    rtp_end: int = Field(
        20000, ge=1025, le=65535, description="last UDP port of RTP; one call uses 4"
    )
    sip_copies_port: int = Field(
        9060,
        ge=1,
        le=65535,
        description="UDP port on loopback to which Asterisk copies each SIP message",
    )
    system_name: str = Field(
        "rt1", pattern="^[a-z0-9]{1,16}$", description="prefix of every uniqueid"
    )
    transfer_context: str = Field(
        "ringtrace-from-company",
        pattern="^[A-Za-z0-9_-]{1,60}$",
        description="dialplan context for transfers by the company",
    )
    jitter_buffer: bool = Field(
        False,
        description="smooth callers' audio that stalls; delays it by at least 60 ms",
    )
    route_deadline_ms: int = Field(
        300, ge=10, le=2000, description="how long a call waits for the agent's answer"
    )

    cel_log_path: str = Field(
        "", description="file of cel_custom; empty: that of the embedded Asterisk"
    )
    answers_path: str = Field(
        "",
        description="directory in memory for the agent's answers to the dialplan; "
        "empty: /run/asterisk/ringtrace for an external Asterisk, otherwise in /dev/shm",
    )
    spool_path: str = Field("", description="where MixMonitor writes; empty: home/spool")
    storage_url: str = Field(
        "", description="recording storage, s3://bucket/prefix; empty: home/recordings"
    )
    storage_endpoint: str = Field("", description="endpoint of an S3 service other than Amazon's")
    storage_region: str = Field("us-east-1", description="S3 region")
    recording_format: Literal["mp3", "opus"] = Field(
        "mp3", description="MP3 can be played and seeked in every browser"
    )
    visits_days: int = Field(
        400,
        ge=60,
        le=3650,
        description="how long visits without a call, mail, finished deliveries and "
        "other old rows are kept",
    )
    mail_seconds: int = Field(60, ge=5, le=3600, description="interval between polls of a mailbox")
    spool_free_mb: int = Field(
        500,
        ge=0,
        description="space kept free on the spool's disk: below it calls "
        "continue without a recording; 0: no limit",
    )

    ca_file: str = Field(
        "",
        description="PEM file with certificate authorities for CRMs, analytics "
        "and webhooks, in addition to the system's",
    )
    http_proxy: ProxyAddress = Field(
        SecretStr(""),
        description="proxy for CRMs, analytics and webhooks, such as "
        "http://user:password@proxy:3128",
    )
    no_proxy: str = Field(
        "localhost,127.0.0.1,::1",
        description="hosts and domains to reach without the proxy, separated by commas",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        file = Path(os.environ.get("RINGTRACE_HOME") or "var") / "ringtrace.toml"
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    def environment(self) -> dict[str, str]:
        """The variables with which another process of ours reads these same settings."""
        return {
            f"RINGTRACE_{name.upper()}": _text(value) for name, value in self.model_dump().items()
        }

    @property
    def database(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite+aiosqlite:///{self.home / 'ringtrace.db'}"

    @property
    def asterisk_home(self) -> Path:
        """The embedded Asterisk's directory."""
        return self.home / "asterisk"

    @property
    def asterisk_etc(self) -> Path:
        """The configuration this Asterisk reads."""
        if self.asterisk_etc_path:
            return Path(self.asterisk_etc_path)
        return self.asterisk_home / "etc"

    @property
    def ringtrace_etc(self) -> Path:
        """The files an Asterisk includes from us; trunks live here."""
        return self.asterisk_etc / "ringtrace"

    @property
    def fallback(self) -> Path:
        """Each number's last destination, read by the dialplan when the agent does not answer."""
        return self.ringtrace_etc / "fallback.conf"

    @property
    def cel_log(self) -> Path:
        """The file of the CEL log."""
        if self.cel_log_path:
            return Path(self.cel_log_path)
        return self.asterisk_home / "log/cel-custom/cel.csv"

    @property
    def refused_calls(self) -> Path:
        """What Asterisk refused before the dialplan saw it, counted."""
        return self.asterisk_home / "refused-calls.json"

    @property
    def answers(self) -> Path:
        """The agent's answers to the dialplan's questions."""
        if self.answers_path:
            return Path(self.answers_path)
        if self.asterisk == "external":
            return Path("/run/asterisk/ringtrace")
        digest = hashlib.sha256(str(self.asterisk_home).encode()).hexdigest()[:12]
        memory = Path("/dev/shm")  # noqa: S108  its owner is checked
        return (memory if memory.is_dir() else self.asterisk_home) / f"ringtrace-{digest}"

    @property
    def spool(self) -> Path:
        """Where MixMonitor writes."""
        if self.spool_path:
            return Path(self.spool_path)
        return self.home / "spool"

    @property
    def storage(self) -> str:
        """Where finished recordings are kept."""
        return self.storage_url or str(self.home / "recordings")

    @property
    def url(self) -> str:
        """The pages' address as people see it."""
        return self.public_url or f"http://{self.web_host}:{self.web_port}"


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value)


def _refuse_unknown_variables() -> None:
    """A misspelt variable would be ignored in silence. Raises `ConfigurationError`."""
    known = {f"RINGTRACE_{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    for name in sorted(os.environ):
        if not name.startswith("RINGTRACE_") or name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = "docs/administrator.md lists them."
        if near:
            hint = f"did you mean {near[0]}?"

        raise ConfigurationError(f"{name} is not a setting of Ringtrace: {hint}")


def _refusal(error: dict[str, Any]) -> str:
    """One setting that cannot be used, and its value where that is no secret."""
    name = next(iter(error["loc"]), "")
    if name == "http_proxy":
        return f"  {name}: {error['msg']}"
    return f"  {name}: {error['msg']} (got {error.get('input')!r})"


def load_settings() -> Settings:
    """Read the settings once. Raises `ConfigurationError` that names each bad one."""
    _refuse_unknown_variables()
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [_refusal(dict(found)) for found in error.errors()]
        raise ConfigurationError("These settings cannot be used:\n" + "\n".join(lines)) from None
    except ValueError as error:  # TOML that cannot be read
        raise ConfigurationError(f"ringtrace.toml cannot be read: {error}") from error
    if settings.rtp_end - settings.rtp_start < 7:
        raise ConfigurationError("rtp_start … rtp_end must hold at least 8 ports: one call uses 4")
    if settings.asterisk == "external" and not (
        settings.asterisk_etc_path and settings.cel_log_path
    ):
        raise ConfigurationError(
            "An external Asterisk needs RINGTRACE_ASTERISK_ETC_PATH (e.g. /etc/asterisk) and "
            "RINGTRACE_CEL_LOG_PATH (e.g. /var/log/asterisk/cel-custom/cel.csv)"
        )
    if settings.asterisk == "embedded" and settings.asterisk_etc_path:
        raise ConfigurationError(
            "RINGTRACE_ASTERISK_ETC_PATH is for an Asterisk of your own: set "
            "RINGTRACE_ASTERISK=external"
        )
    return settings.model_copy(update={"home": settings.home.absolute()})
