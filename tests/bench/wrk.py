"""Runs wrk, Debian's HTTP load generator, and reads what it measured. Each request comes from an
address of its own.
"""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

CONNECTIONS = 16
_SCRIPT = """
wrk.method = "POST"
wrk.body = '{body}'
wrk.headers["Content-Type"] = "text/plain"
wrk.headers["Origin"] = "http://shop.example"
wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36"
local n = math.random(0, 16000000)
function request()
  n = n + 1
  local high, middle = math.floor(n / 65536) % 256, math.floor(n / 256) % 256
  wrk.headers["X-Forwarded-For"] = "10." .. high .. "." .. middle .. "." .. n % 256
  return wrk.format()
end
{delay}
"""  # noqa: E501
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What came of a run: requests a second, the 99th percentile in milliseconds, and answers that
    were errors.
    """

    rate: float
    p99: float
    failed: int

    @classmethod
    def read(cls, said: str) -> Self:
        """From what wrk prints. Raises `ValueError` when it printed something else, or complains of
        its script.
        """
        rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
        p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", said)
        if rate is None or p99 is None or ".lua:" in said:
            raise ValueError(f"wrk said: {said[:500]}")
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
        lost = re.search(
            r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said
        )
        failed = int(refused[1]) if refused else 0
        failed += sum(int(n) for n in lost.groups()) if lost else 0
        return cls(rate=float(rate[1]), p99=float(p99[1]) * _UNITS[p99[2]], failed=failed)


async def load(
    url: str, body: str, work: Path, *, seconds: float, rate: float | None = None
) -> Load:
    """POST `body` for so long: as fast as it goes, or about `rate` times a second."""
    # Visitors come independently: with equal pauses all connections would soon ask in the same
    # instant.
    pause = f"-math.log(1 - math.random()) * {CONNECTIONS / rate * 1000:.0f}" if rate else ""
    delay = f"function delay() return {pause} end" if rate else ""
    script = work / f"wrk-{abs(hash((url, rate)))}.lua"
    script.write_text(_SCRIPT.format(body=body, delay=delay))
    process = await asyncio.create_subprocess_exec(
        *(
            "wrk",
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds:.0f}s",
            "--latency",
            "-s",
            str(script),
            url,
        ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return Load.read(said.decode())
