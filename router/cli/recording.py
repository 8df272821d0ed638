"""`ringtrace recording`: exports finished recordings, each with a file of the call's facts."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from recordings.errors import RecordingError
from router.atomic_file import replacing
from router.bootstrap import open_storage
from router.cli.call import Since, SiteKey, Until, line_as_json
from router.cli.opening import read_settings, ready_store
from router.cli.output import AsJson, Column, note, plain, print_json, print_table, progress, say
from router.cli.recording_links import link, revoke
from router.config import Settings
from router.domain.calls.call import Recording, RecordingState
from router.domain.calls.call_filter import CallFilter
from router.errors import InvalidInput, RingtraceError, Unavailable
from router.recorder import StorageReader
from router.service.calls.browse import CallView, find_calls, show_call
from router.service.calls.ports import RecordingReader
from router.service.ports import Store

app = typer.Typer(help="Recordings of calls.", no_args_is_help=True)

PAGE = 200


app.command("link")(link)
app.command("revoke")(revoke)


@dataclass(slots=True)
class Outcome:
    """The result of an export."""

    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)  # existed already
    failed: dict[str, str] = field(default_factory=dict)  # call → reason


@app.command("export")
def export(
    call_ids: Annotated[
        list[str] | None, typer.Argument(metavar="CALL_ID", help="See `ringtrace call list`.")
    ] = None,
    to: Annotated[
        Path, typer.Option(metavar="DIR", file_okay=False, help="Created if it does not exist.")
    ] = ...,  # type: ignore[assignment]
    every: Annotated[bool, typer.Option("--all", help="Export every recording.")] = False,
    since: Since = None,
    until: Until = None,
    site: SiteKey = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
    as_json: AsJson = False,
) -> None:
    """Export recordings, each with a JSON file of the call's facts.

    Give call IDs, or choose calls with --since, --until, --site or --all. Existing files are kept,
    so an interrupted export can be repeated. The exit status is 1 if a file could not be written.
    """
    chosen = every or any((since, until, site))
    if bool(call_ids) == chosen:
        raise typer.BadParameter(
            "give call IDs, or choose calls with --since, --until, --site or --all"
        )
    wanted = None
    if not call_ids:
        wanted = CallFilter(site_id=site, since=since, until=until)

    outcome = asyncio.run(_export(read_settings(), call_ids or (), wanted, to, force=force))
    _report(outcome, as_json)
    if outcome.failed:
        raise typer.Exit(1)


async def _export(
    settings: Settings, call_ids: Sequence[str], wanted: CallFilter | None, to: Path, *, force: bool
) -> Outcome:
    outcome, storage = Outcome(), StorageReader(_storage(settings))
    _make(to)
    async with ready_store(settings) as store:
        if wanted:
            ids = [i async for i in _recorded(store, wanted)]
        else:
            ids = list(dict.fromkeys(call_ids))

        with progress() as bar:
            task = bar.add_task("Recordings", total=len(ids))
            for call_id in ids:
                try:
                    await _write_pair(
                        await show_call(store, call_id), storage, to, outcome, force=force
                    )
                except RingtraceError as error:
                    outcome.failed[call_id] = error.message
                bar.advance(task)
    return outcome


def _storage(settings: Settings) -> Any:
    try:
        return open_storage(settings)
    except RecordingError as error:
        raise Unavailable(str(error)) from error


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{directory} cannot be created: {error.strerror}") from error


async def _recorded(store: Store, wanted: CallFilter) -> AsyncIterator[str]:
    """The matching calls that have a finished recording."""
    cursor: str | None = None
    while True:
        page = await find_calls(store, wanted, cursor=cursor, limit=PAGE)
        for line in page.lines:
            if line.recording and line.recording.state is RecordingState.STORED:
                yield line.call.id
        cursor = page.next_cursor
        if cursor is None:
            return


async def _write_pair(
    view: CallView, storage: RecordingReader, to: Path, outcome: Outcome, *, force: bool
) -> None:
    recording = view.recording
    if recording is None or recording.state is not RecordingState.STORED:
        raise InvalidInput(_why_not(recording))
    facts = line_as_json(view) | {name: plain(getattr(view, name)) for name in ("lease", "visitor")}
    label = json.dumps(facts, ensure_ascii=False, indent=1).encode()
    suffix = Path(recording.key or "").suffix or ".mp3"
    for path, chunks in (
        (to / f"{view.call.id}{suffix}", _verified(storage, recording)),
        (to / f"{view.call.id}.json", _once(label)),
    ):
        if path.exists() and not force:
            outcome.kept.append(path)
            continue
        await _write(path, chunks)
        outcome.written.append(path)


def _why_not(recording: Recording | None) -> str:
    if recording is None:
        return "the call was not recorded"
    return f"the recording is {recording.state}" + (
        f": {recording.reason}" if recording.reason else ""
    )


async def _verified(storage: RecordingReader, recording: Recording) -> AsyncIterator[bytes]:
    """The recording's bytes; raises `Unavailable` at the end if their digest is wrong."""
    digest = hashlib.sha256()
    try:
        async for chunk in (await storage.open(recording)).chunks:
            digest.update(chunk)
            yield chunk
    except RecordingError as error:
        raise Unavailable(str(error)) from error
    if digest.hexdigest() != recording.sha256:
        raise Unavailable("the stored file was changed (its SHA-256 differs)")


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _write(path: Path, chunks: AsyncIterator[bytes]) -> None:
    """Write a whole file or none."""
    try:
        with replacing(path, mode=0o666) as file:
            async for chunk in chunks:
                file.write(chunk)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}") from error


def _report(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "written": [str(path) for path in outcome.written],
                "kept": [str(path) for path in outcome.kept],
                "failed": [
                    {"call": call, "reason": reason} for call, reason in outcome.failed.items()
                ],
            }
        )
        return
    say(f"Files written: {len(outcome.written)}. Not exported: {len(outcome.failed)}.")
    if outcome.kept:
        note(f"Files kept: {len(outcome.kept)}; --force overwrites them.")
    if outcome.failed:
        columns = (Column(title="call", whole=True), Column(title="reason"))
        print_table(columns, outcome.failed.items())
