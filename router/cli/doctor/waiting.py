"""Runs programs and blocking calls that may hang, without delaying the end of doctor."""

import asyncio
import fcntl
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from router.config import Settings

T = TypeVar("T")

# after `ringtrace run` began, its parts may not have given a sign of life yet
STARTING_SECONDS = 45.0


def is_starting(settings: Settings) -> bool:
    """Whether `ringtrace run` started in this home a moment ago."""
    try:
        with (settings.home / ".lock").open() as file:
            began = os.fstat(file.fileno()).st_mtime
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return abs(time.time() - began) < STARTING_SECONDS
    except OSError:
        pass
    return False


async def in_thread(work: Callable[[], T]) -> T:
    """Run a blocking call in a daemon thread; asyncio's own thread pool would delay the exit."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as caught:  # noqa: BLE001  passed on to the waiting task
            error = caught
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True).start()
    return await done


async def output_of(*command: str) -> str | None:
    """The output of a program; None if it cannot be started or fails. It is killed on
    cancellation.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
    if process.returncode == 0:
        return output.decode("utf-8", "replace").strip()
    return None
