"""Answers of servers that are broken, are something else, or want to cost us time."""

import asyncio
import gzip
from collections.abc import Mapping

from tests.support.receiver import Answer, drip, silence

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PAGE = b"<!doctype html><html><head><title>Log in</title></head><body>Log in</body></html>"
# the names that adapters look for, each with a value of a wrong type
WRONG_TYPES = (
    b'{"success": true, "result": 7, "data": "x", "results": {"a": 1}, "_embedded": [1],'
    b' "uploadings": 5, "uploading": [], "id": {}, "records": 3, "requestId": [], "fields": 0,'
    b' "errors": "none", "error": [], "status": {}, "customers": {"id": true}, "totalSize": "all"}'
)


def endless(beginning: bytes, more: bytes) -> Answer:
    """What begins so, and goes on so for ever."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(beginning)
        while True:
            writer.write(more)
            await writer.drain()

    return answer


def whole(status: str, body: bytes, *headers: str, kind: str = "application/json") -> bytes:
    """A complete answer."""
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Length: {len(body)}",
        f"Content-Type: {kind}",
        "Connection: close",
        *headers,
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body


HOSTILE: Mapping[str, bytes | Answer] = {
    "endless headers": endless(OK, b"A: b\r\n" * 1000),
    "endless body": endless(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"),
    "endless bytes": endless(CHUNKED, b"1\r\nx\r\n" * 1000),
    "ten gigabytes": endless(OK + b"Content-Length: 10000000000\r\n\r\n", b"x" * 65536),
    "silence": silence,
    "slow": drip,
    "nothing": b"",
    "cut off": OK + b"Content-Length: 1000\r\n\r\n{",
    "not HTTP": b"SSH-2.0-OpenSSH_9.9\r\n",
    "moved": whole("301 Moved", PAGE, "Location: https://elsewhere.example/", kind="text/html"),
    "redirect to itself": whole("302 Found", b"", "Location: /"),
    "redirect to nowhere": whole("308 Moved", b""),
    "page": whole("200 OK", PAGE, kind="text/html"),
    "page of an error": whole("502 Bad Gateway", PAGE, kind="text/html"),
    "page of a firewall": whole("403 Forbidden", PAGE, kind="text/html"),
    "too many requests": whole("429 Slow down", b"{}", "Retry-After: 99999999999999999999"),
    "no JSON": whole("200 OK", b'{"data": ['),
    "empty": whole("200 OK", b""),
    "deep JSON": whole("200 OK", b'{"data":' * 100_000 + b"1" + b"}" * 100_000),
    "a list of anything": whole("200 OK", b'[null, 1, "x", [], {}, true, [[]]]'),
    "wrong types": whole("200 OK", WRONG_TYPES),
    "UTF-16": whole("200 OK", '{"data": []}'.encode("utf-16")),
    "no text at all": whole("200 OK", bytes(range(256)) * 64),
    "packed": whole("200 OK", gzip.compress(b"{}" * 1000), "Content-Encoding: gzip"),
    "packed falsely": whole("200 OK", b"{}", "Content-Encoding: gzip, br"),
    "numbers without end": whole("200 OK", b'{"id": ' + b"9" * 9999 + b', "data": 1e9999}'),
    "no Unicode": whole("200 OK", rb'{"data": "\u0000\ud800", "id": NaN, "result": Infinity}'),
    "nothing to say": whole("204 No Content", b""),
}
