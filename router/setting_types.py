"""Types of settings that are checked when they are read, and the settings of calls back."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from router.domain.calls.call_back import PREFIX, CallBackRules
from router.domain.visitors.site import Step
from router.errors import InvalidInput


def _check_proxy(value: SecretStr) -> SecretStr:
    address = urlsplit(value.get_secret_value())
    usable = address.scheme in ("http", "https") and address.hostname
    if value.get_secret_value() and not usable:
        raise ValueError("write it with its scheme, such as http://proxy.example.com:3128")
    return value


def _check_address(value: str) -> str:
    """The snippet and links are made from it: without a scheme, browsers take it for a path of
    the page.
    """
    address = urlsplit(value)
    if value and (address.scheme not in ("http", "https") or not address.hostname):
        raise ValueError("write it with its scheme, such as https://calls.example.com")
    return value.rstrip("/")


ProxyAddress = Annotated[SecretStr, AfterValidator(_check_proxy)]
WebAddress = Annotated[str, AfterValidator(_check_address)]


class DeskSettings(BaseSettings):
    """What may differ between installations, for people who call back."""

    call_back_line: str = Field(
        "PJSIP/{number}@{trunk}",
        description="what is dialled for a call back: {number} is +74951234567, {digits} the same "
        "without +, {trunk} the trunk of the caller; e.g. Local/{digits}@from-internal",
    )
    call_back_caller_id: str = Field(
        "",
        pattern=r"^(\+?[0-9]{3,20})?$",
        description="number that is shown to customers who are called back; "
        "empty: the one they called",
    )
    call_back_prefixes: str = Field(
        "",
        description="numbers that may be called back besides ordinary ones of the region, "
        "by their beginnings, e.g. +375 +49; + allows all",
    )
    call_back_per_minute: int = Field(3, ge=1, le=60, description="calls back of one person")
    call_back_announcement: str = Field(
        "",
        pattern="^[A-Za-z0-9/_-]{0,100}$",
        description="sound of Asterisk that customers hear who are called back, "
        "before both talk; empty: none",
    )

    @field_validator("call_back_line")
    @classmethod
    def _can_be_dialled(cls, value: str) -> str:
        try:
            Step(dial=CallBackRules(line=value).line_to("+74951234567", "carrier"))
        except (KeyError, IndexError, ValueError, InvalidInput) as error:
            raise ValueError("write it as PJSIP/{number}@{trunk}") from error
        return value

    @field_validator("call_back_prefixes")
    @classmethod
    def _are_prefixes(cls, value: str) -> str:
        wrong = [one for one in value.split() if not PREFIX.fullmatch(one)]
        if wrong:
            raise ValueError(f"{wrong[0][:20]!r} is no prefix: write +375")
        return value

    def call_back_rules(self, region: str) -> CallBackRules:
        """The rules for calls back."""
        return CallBackRules(
            region=region,
            prefixes=tuple(self.call_back_prefixes.split()),
            per_minute=self.call_back_per_minute,
            line=self.call_back_line,
            caller_id=self.call_back_caller_id,
        )
