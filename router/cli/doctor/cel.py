"""What doctor checks about the CEL log and how far it was read."""

from pathlib import Path

from router.cli.doctor.finding import PREPARE, Case, Finding, fail, ok, warn
from router.service.calls.ports import Cursor
from router.store.health import examine

BEHIND_BYTES = 256 * 1024  # of CEL log: some hundred calls


async def cel_log(case: Case) -> Finding:
    """The CEL log can be written and read, and the agent is not behind."""
    path = case.settings.cel_log
    if not path.parent.is_dir():
        return fail(
            "CEL log", f"{path.parent} does not exist", f"{PREPARE}, or set RINGTRACE_CEL_LOG_PATH."
        )
    if not path.exists():
        return ok("CEL log", "is empty: no call has come yet")
    behind = _behind(path, (await examine(case.store, case.settings.system_name)).cursor)
    if behind is None:
        return warn(
            "CEL log",
            "the file that the agent read last was removed",
            "Nothing to do if you removed old CEL logs.",
        )
    if behind > BEHIND_BYTES:
        return warn(
            "CEL log",
            f"the agent is {behind:,} bytes behind",
            "Check that `ringtrace agent` is running; it will catch up.",
        )
    return ok("CEL log", f"{path.stat().st_size:,} bytes, the agent is {behind:,} behind")


def _behind(path: Path, cursor: Cursor | None) -> int | None:
    """Unread bytes of the CEL log; None if the cursor's file is gone."""
    files = sorted(
        (p for p in path.parent.glob(f"{path.name}*") if p.is_file()),
        key=lambda p: p.stat().st_mtime,
    )
    sizes = [(f"{p.stat().st_dev}:{p.stat().st_ino}", p.stat().st_size) for p in files]
    if cursor is None:
        return sum(size for _, size in sizes)
    file = cursor.file.partition("@")[0]
    at = next((i for i, (identity, _) in enumerate(sizes) if identity == file), None)
    if at is None:
        return None
    return sum(size for _, size in sizes[at:]) - cursor.offset
