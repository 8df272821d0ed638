"""Network settings for receivers: trusted certificates and proxy."""

import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpx
import truststore

from router.config import Settings
from router.domain.delivery.codes import AnswerCode
from router.errors import ConfigurationError

Address = IPv4Address | IPv6Address
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_TRANSLATED = IPv6Network("64:ff9b::/96")  # IPv4 addresses behind a NAT64
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_OTHER_NAME = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
# only a person can change certificates and proxy settings
_LASTING = frozenset(
    {
        AnswerCode.PROXY_REFUSED,
        AnswerCode.CERTIFICATE_EXPIRED,
        AnswerCode.CERTIFICATE_OF_ANOTHER,
        AnswerCode.CERTIFICATE_NOT_TRUSTED,
    }
)


class Packed(ValueError):
    """The answer is compressed although no compression was requested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The settings of all requests to CRMs, analytics and webhooks."""

    ca_file: str = ""  # PEM file; trusted in addition to the system's certificates
    proxy: str = field(default="", repr=False)  # its address may hold a password
    direct: tuple[str, ...] = LOOPBACK  # hosts and domains that the proxy is not asked for

    def proxied(self, host: str) -> bool:
        """Whether requests to this host use the proxy."""
        if not self.proxy:
            return False
        return not any(host == name or host.endswith(f".{name}") for name in self.direct)

    def secrets(self) -> list[str]:
        """Secrets to hide in errors."""
        if not self.proxy:
            return []
        password = httpx.URL(self.proxy).password
        return list(filter(None, [password]))


def network_of(settings: Settings) -> Network:
    """The network settings."""
    names = (name.strip().lstrip(".") for name in settings.no_proxy.split(","))
    return Network(
        ca_file=settings.ca_file,
        proxy=settings.http_proxy.get_secret_value(),
        direct=tuple(filter(None, names)),
    )


def open_client(network: Network, **options: Any) -> httpx.AsyncClient:
    """A client that does not follow redirects. Raises `ConfigurationError` for a CA file that
    cannot be used.
    """
    context = tls(network.ca_file)
    proxy, mounts = None, dict[str, None]()
    if network.proxy:
        proxy = _proxy(network.proxy, context)
        mounts = dict.fromkeys(map(_pattern, network.direct))
    return httpx.AsyncClient(
        verify=context,
        proxy=proxy,
        mounts=mounts,
        follow_redirects=False,
        trust_env=False,
        **options,
    )


def _proxy(address: str, context: ssl.SSLContext) -> httpx.Proxy:
    if httpx.URL(address).scheme == "https":
        return httpx.Proxy(address, ssl_context=context)
    return httpx.Proxy(address)


@lru_cache(maxsize=8)
def tls(ca_file: str) -> ssl.SSLContext:
    """TLS that trusts the system's certificates and those in the file. Raises
    `ConfigurationError`.
    """
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not ca_file:
        return context

    try:
        context.load_verify_locations(cafile=ca_file)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        reason = getattr(error, "strerror", None) or str(error)
        advice = "name a readable file with certificates in PEM"
        raise ConfigurationError(f"RINGTRACE_CA_FILE: {ca_file}: {reason}: {advice}") from error
    return context


def _pattern(name: str) -> str:
    """httpx's pattern for a host, or for a domain with all its hosts."""
    try:
        address = ip_address(name)
    except ValueError:
        return f"all://*{name}"
    if address.version == 6:
        return f"all://[{name}]"
    return f"all://{name}"


def connection_failure(error: Exception) -> tuple[AnswerCode, str, bool]:
    """What went wrong with a request, the detail, and whether only a person can fix it."""
    code, detail = _failure(error)
    return code, detail, code in _LASTING


def _failure(error: Exception) -> tuple[AnswerCode, str]:
    # the text of some errors quotes the answer
    match error:
        case Packed():
            return AnswerCode.PACKED_ANSWER, ""
        case httpx.RemoteProtocolError():
            return AnswerCode.NOT_HTTP, ""
        case httpx.ProxyError():
            return AnswerCode.PROXY_REFUSED, str(error)
    no_connection = AnswerCode.NO_CONNECTION, f"{type(error).__name__}: {error}"
    return _certificate_trouble(error) or no_connection


def _certificate_trouble(error: BaseException) -> tuple[AnswerCode, str] | None:
    """What is wrong with a server's certificate; None for other errors."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        return None

    if cause.verify_code == _EXPIRED:
        return AnswerCode.CERTIFICATE_EXPIRED, cause.verify_message
    if cause.verify_code in _OTHER_NAME:
        return AnswerCode.CERTIFICATE_OF_ANOTHER, cause.verify_message
    return AnswerCode.CERTIFICATE_NOT_TRUSTED, cause.verify_message


def is_public(response: httpx.Response) -> bool:
    """Whether the answer comes from a public address."""
    peer = response.extensions["network_stream"].get_extra_info("server_addr")
    return peer is not None and read_address(str(peer[0])).is_global


def read_address(text: str) -> Address:
    """An IP address; an IPv4 address in IPv6 form is the IPv4 address. Raises `ValueError`."""
    address = ip_address(text.partition("%")[0])
    if not isinstance(address, IPv6Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address
