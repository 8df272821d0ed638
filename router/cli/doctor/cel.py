"""What doctor checks about the CEL log and how far it was read."""

from pathlib import Path

from router.cli.doctor.finding import PREPARE, Case, Finding, fail, ok, warn
from router.service.calls.ports import Cursor
from router.store.health import examine

BEHIND_BYTES = 256 * 1024  # of journal: some hundred calls


async def journal(case: Case) -> Finding:
    """The journal can be written and read, and the agent keeps up with it."""
    path = case.settings.journal
    if not path.parent.is_dir():
        return fail(
            "journal", f"{path.parent} is not there", f"{PREPARE}, or set RINGTRACE_JOURNAL_PATH."
        )
    if not path.exists():
        return ok("journal", "is empty: no call has come yet")
    behind = _behind(path, (await examine(case.store, case.settings.system_name)).cursor)
    if behind is None:
        return warn(
            "journal",
            "what the agent read last is not there any more",
            "Nothing, if old journals were removed.",
        )
    if behind > BEHIND_BYTES:
        return warn(
            "journal",
            f"the agent is {behind:,} bytes behind",
            "Is `ringtrace agent` running? It will catch up.",
        )
    return ok("journal", f"{path.stat().st_size:,} bytes, the agent is {behind:,} behind")


def _behind(path: Path, cursor: Cursor | None) -> int | None:
    """Bytes of the journal's files that were not read yet; None when the cursor's file is gone."""
    files = sorted(
        (p for p in path.parent.glob(f"{path.name}*") if p.is_file()),
        key=lambda p: p.stat().st_mtime,
    )
    sizes = [(f"{p.stat().st_dev}:{p.stat().st_ino}", p.stat().st_size) for p in files]
    if cursor is None:
        return sum(size for _, size in sizes)
    file = cursor.file.partition("@")[0]
    at = next((i for i, (identity, _) in enumerate(sizes) if identity == file), None)
    return None if at is None else sum(size for _, size in sizes[at:]) - cursor.offset
