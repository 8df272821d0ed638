"""What doctor checks about the web process."""

import asyncio

import httpx

from router.cli.doctor.finding import Case, Finding, fail, ok

WEB_SECONDS = 4.0


async def pages(case: Case) -> Finding:
    """The web answers, and reaches its database."""
    settings = case.settings
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.web_host, settings.web_host)  # noqa: S104
    try:
        async with asyncio.timeout(WEB_SECONDS):
            status, reasons = await _ask(host, settings.web_port)
    except TimeoutError:
        found = f"{host}:{settings.web_port} gave no answer within {WEB_SECONDS:.0f} s"
        return fail("pages", found, "It hangs: restart `ringtrace web`.")
    except OSError as error:
        found = f"nothing answers at {host}:{settings.web_port} ({type(error).__name__})"
        return fail(
            "pages", found, "`ringtrace web`, or RINGTRACE_WEB_PORT is not what it runs with."
        )
    if status != 200:
        found = (
            f"{host}:{settings.web_port}/healthz answers {status}: "
            f"{'; '.join(reasons.splitlines())}"
        )
        return fail(
            "pages", found[:300], "Restart what it names; else see the log of `ringtrace web`."
        )
    return ok("pages", f"answer at {settings.url}")


async def _ask(host: str, port: int) -> tuple[int, str]:
    """The status of /healthz, and what it says."""
    shown = f"[{host}]" if ":" in host else host
    async with httpx.AsyncClient(timeout=WEB_SECONDS, trust_env=False) as client:
        try:
            answer = await client.get(f"http://{shown}:{port}/healthz")
        except httpx.TimeoutException as error:
            raise TimeoutError from error
        except httpx.HTTPError as error:
            raise ConnectionError(str(error)) from error
    return answer.status_code, answer.text
