"""Every setting, in one frozen value: environment (RINGTRACE_…), else
$RINGTRACE_HOME/ringtrace.toml, else the default.

Secrets are not settings: see `router.secrets`.
"""

import difflib
import hashlib
import os
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from router.errors import ConfigurationError

# What is read elsewhere: by asterisk.sh, and by commands that take a password.
OTHER_VARIABLES = {
    "RINGTRACE_CACHE",
    "RINGTRACE_ASTERISK_PROGRAM",
    "RINGTRACE_ASTERISK_COMMAND",
    "RINGTRACE_TRUNK_PASSWORD",
}


class Settings(BaseSettings):
    """What may differ between installations. Every path below `home` follows it."""

    model_config = SettingsConfigDict(
        env_prefix="RINGTRACE_", env_ignore_empty=True, frozen=True, extra="forbid"
    )

    home: Path = Field(Path("var"), description="all state at run time")
    database_url: str = Field("", description="SQLAlchemy URL; empty means SQLite in home")
    region: str = Field(
        "RU", pattern="^[A-Z]{2}$", description="how national phone numbers are read, ISO 3166"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least level that is logged"
    )

    web_host: str = Field("127.0.0.1", description="address of the pages and the API")
    web_port: int = Field(8080, ge=1, le=65535, description="TCP port of the pages and the API")
    public_url: str = Field(
        "", description="address of the pages as people see it; empty means web_host:web_port"
    )

    places_path: str = Field(
        "",
        description="file in MaxMind's format (.mmdb) that knows where "
        "addresses are; empty: places stay "
        "unknown",
    )

    asterisk: Literal["embedded", "external"] = Field(
        "embedded",
        description="embedded: `ringtrace run` starts Asterisk too; external: it runs by itself",
    )
    asterisk_etc_path: str = Field(
        "", description="an external Asterisk's configuration, e.g. /etc/asterisk"
    )
    ami_host: str = Field("127.0.0.1", description="loopback: AMI has no encryption")
    ami_port: int = Field(5038, ge=1, le=65535, description="TCP port of AMI")
    sip_bind: str = Field("0.0.0.0", description="address of SIP and RTP")  # noqa: S104
    sip_port: int = Field(5060, ge=1, le=65535, description="SIP over UDP and TCP")
    sip_bind_v6: str = Field("", description="IPv6 address of SIP, :: for all; empty: no IPv6")
    sip_tls_port: int = Field(0, ge=0, le=65535, description="SIP over TLS, usually 5061; 0: none")
    sip_tls_certificate: str = Field(
        "", description="file in PEM; needed where others connect to us"
    )
    sip_tls_key: str = Field("", description="file in PEM; empty: it is in the certificate's")
    sip_tls_authorities: str = Field(
        "/etc/ssl/certs/ca-certificates.crt",
        description="file in PEM that carriers' certificates are checked "
        "with; empty: they are not checked",
    )
    rtp_start: int = Field(10000, ge=1024, le=65000, description="first UDP port of RTP")
    rtp_end: int = Field(
        20000, ge=1025, le=65535, description="last UDP port of RTP; one call uses 4"
    )
    sip_copies_port: int = Field(
        9060,
        ge=1,
        le=65535,
        description="UDP on loopback: Asterisk sends a copy of each SIP message there",
    )
    system_name: str = Field(
        "rt1", pattern="^[a-z0-9]{1,16}$", description="in front of every uniqueid"
    )
    transfer_context: str = Field(
        "ringtrace-from-company",
        pattern="^[A-Za-z0-9_-]{1,60}$",
        description="where the company's transfers go in the dialplan",
    )
    jitter_buffer: bool = Field(
        False,
        description="smooth callers' lines that stall; their voice comes at least 60 ms later",
    )
    route_deadline_ms: int = Field(
        300, ge=10, le=2000, description="how long a call waits for the agent's answer"
    )

    journal_path: str = Field(
        "", description="cel_custom's file; empty means the embedded Asterisk's"
    )
    answers_path: str = Field(
        "",
        description="where the agent leaves its answers for the dialplan, in memory; "
        "empty means /run/asterisk/ringtrace beside an external Asterisk, else a directory in "
        "/dev/shm",
    )
    spool_path: str = Field("", description="where MixMonitor writes; empty means home/spool")
    shelf_url: str = Field("", description="s3://bucket/prefix, or empty for home/shelf")
    shelf_endpoint: str = Field("", description="address of an S3 that is not Amazon's")
    shelf_region: str = Field("us-east-1", description="S3 region")
    recording_format: Literal["mp3", "opus"] = Field(
        "mp3", description="MP3 seeks in every browser"
    )
    visits_days: int = Field(
        400,
        ge=60,
        le=3650,
        description="visits that no call needs, mail, finished deliveries and other old rows "
        "are kept so long",
    )
    mail_seconds: int = Field(60, ge=5, le=3600, description="between looks into a mailbox")
    spool_free_mb: int = Field(
        500,
        ge=0,
        description="room kept free of recordings on the spool's disk: "
        "below it calls go on unrecorded; "
        "0: none",
    )

    ca_file: str = Field(
        "",
        description="file in PEM: certificate authorities that CRMs, "
        "analytics and webhooks may have "
        "beside those the system trusts",
    )
    http_proxy: SecretStr = Field(
        SecretStr(""),
        description="proxy for CRMs, analytics and webhooks, such as "
        "http://user:password@proxy:3128",
    )
    no_proxy: str = Field(
        "localhost,127.0.0.1,::1",
        description="hosts and domains that are reached without it, separated by commas",
    )

    @field_validator("http_proxy")
    @classmethod
    def _proxy_address(cls, value: SecretStr) -> SecretStr:
        address = urlsplit(value.get_secret_value())
        if value.get_secret_value() and not (
            address.scheme in ("http", "https") and address.hostname
        ):
            raise ValueError("write it with its scheme, such as http://proxy.example.com:3128")
        return value

    @field_validator("public_url")
    @classmethod
    def _whole_address(cls, value: str) -> str:
        """The snippet and links are made from it: without a scheme, browsers take it for a path of
        the page.
        """
        address = urlsplit(value)
        if value and (address.scheme not in ("http", "https") or not address.hostname):
            raise ValueError("write it with its scheme, such as https://calls.example.com")
        return value.rstrip("/")

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
        return (
            Path(self.asterisk_etc_path) if self.asterisk_etc_path else self.asterisk_home / "etc"
        )

    @property
    def ringtrace_etc(self) -> Path:
        """The files an Asterisk includes from us; trunks live here."""
        return self.asterisk_etc / "ringtrace"

    @property
    def fallback(self) -> Path:
        """Each number's last destination, read by the dialplan when the agent does not answer."""
        return self.ringtrace_etc / "fallback.conf"

    @property
    def journal(self) -> Path:
        """The journal."""
        return (
            Path(self.journal_path)
            if self.journal_path
            else self.asterisk_home / "log/cel-custom/journal.csv"
        )

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
        return Path(self.spool_path) if self.spool_path else self.home / "spool"

    @property
    def shelf(self) -> str:
        """Where finished recordings are kept."""
        return self.shelf_url or str(self.home / "shelf")

    @property
    def url(self) -> str:
        """The pages' address as people see it."""
        return self.public_url or f"http://{self.web_host}:{self.web_port}"


def _text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _refuse_unknown_variables() -> None:
    """A misspelt variable would be ignored in silence. Raises `ConfigurationError`."""
    known = {f"RINGTRACE_{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    for name in sorted(os.environ):
        if not name.startswith("RINGTRACE_") or name in known:
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "docs/administrator.md lists them."
        raise ConfigurationError(f"{name} is not a setting of Ringtrace: {hint}")


def _refusal(error: dict[str, Any]) -> str:
    """One setting that cannot be used, and its value where that is no secret."""
    name = error["loc"][0] if error["loc"] else ""
    value = "" if name == "http_proxy" else f" (got {error.get('input')!r})"
    return f"  {name}: {error['msg']}{value}"


def load_settings() -> Settings:
    """Read the settings once. Raises `ConfigurationError` that names each bad one."""
    _refuse_unknown_variables()
    try:
        settings = Settings()
    except ValidationError as error:
        lines = [_refusal(dict(one)) for one in error.errors()]
        raise ConfigurationError("These settings cannot be used:\n" + "\n".join(lines)) from None
    except ValueError as error:  # TOML that cannot be read
        raise ConfigurationError(f"ringtrace.toml cannot be read: {error}") from error
    if settings.rtp_end - settings.rtp_start < 7:
        raise ConfigurationError("rtp_start … rtp_end must hold at least 8 ports: one call uses 4")
    if settings.asterisk == "external" and not (
        settings.asterisk_etc_path and settings.journal_path
    ):
        raise ConfigurationError(
            "An external Asterisk needs RINGTRACE_ASTERISK_ETC_PATH (e.g. /etc/asterisk) and "
            "RINGTRACE_JOURNAL_PATH (e.g. /var/log/asterisk/cel-custom/journal.csv)"
        )
    if settings.asterisk == "embedded" and settings.asterisk_etc_path:
        raise ConfigurationError(
            "RINGTRACE_ASTERISK_ETC_PATH is for an Asterisk of your own: set "
            "RINGTRACE_ASTERISK=external"
        )
    return settings.model_copy(update={"home": settings.home.absolute()})
