"""What doctor checks about the web process."""

import asyncio

import httpx

from router.cli.doctor.finding import Case, Finding, fail, ok

WEB_SECONDS = 4.0


async def pages(case: Case) -> Finding:
    """The web process answers, and reaches its database."""
    settings = case.settings
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.web_host, settings.web_host)  # noqa: S104
    try:
        async with asyncio.timeout(WEB_SECONDS):
            status, reasons = await _ask(host, settings.web_port)
    except TimeoutError:
        found = f"{host}:{settings.web_port} did not answer within {WEB_SECONDS:.0f} s"
        return fail("pages", found, "The web process hangs: restart `ringtrace web`.")
    except OSError as error:
        found = f"nothing answers at {host}:{settings.web_port} ({type(error).__name__})"
        return fail(
            "pages", found, "Start `ringtrace web`, or set RINGTRACE_WEB_PORT to the port it uses."
        )
    if status not in {200, 503} or (status == 200 and reasons != "ok"):
        return fail(
            "pages",
            f"another program answers at {host}:{settings.web_port} ({status})",
            f"`ss -ltnp 'sport = :{settings.web_port}'` names it: stop it, or set "
            "RINGTRACE_WEB_PORT to a free port.",
        )
    if status != 200:
        found = (
            f"{host}:{settings.web_port}/healthz answers {status}: "
            f"{'; '.join(reasons.splitlines())}"
        )
        return fail(
            "pages",
            found[:300],
            "Restart the process it names; otherwise see the log of `ringtrace web`.",
        )
    return ok("pages", f"answer at {settings.url}")


async def _ask(host: str, port: int) -> tuple[int, str]:
    """The status and message of /healthz."""
    if ":" in host:
        shown = f"[{host}]"
    else:
        shown = host

    async with httpx.AsyncClient(timeout=WEB_SECONDS, trust_env=False) as client:
        try:
            answer = await client.get(f"http://{shown}:{port}/healthz")
        except httpx.TimeoutException as error:
            raise TimeoutError from error
        except httpx.HTTPError as error:
            raise ConnectionError(str(error)) from error
    return answer.status_code, answer.text
