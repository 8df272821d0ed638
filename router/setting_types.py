"""Types of settings that are checked when they are read."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr


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
