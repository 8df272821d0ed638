"""`ringtrace transcript`: which calls are transcribed, by what, and how far it is."""

import asyncio
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

import typer

from router.bootstrap import now
from router.cli.collection import Collection
from router.cli.opening import read_settings, ready_store, with_store
from router.cli.output import (
    AsJson,
    Column,
    duration,
    note,
    plain,
    print_json,
    print_table,
    progress,
    say,
)
from router.cli.password import FromStdin, read_password
from router.config import Settings
from router.domain.calls.call_query import CallQuery
from router.domain.calls.transcript import Engine, Transcript, TranscriptionRule, TranscriptState
from router.errors import InvalidInput
from router.receivers.speech_to_text import TOKENS, check_speech_address, server_of
from router.secrets import keep_token
from router.service.admin import setup
from router.service.calls.transcripts import get_transcript, order_transcripts
from router.service.ports import Store

app = typer.Typer(help="Speech to text: rules and transcripts.", no_args_is_help=True)
Key = Annotated[str, typer.Argument(metavar="KEY", help="1 to 40 of a-z, 0-9 and '-'.")]
CallId = Annotated[str, typer.Argument(metavar="CALL_ID", help="See `ringtrace call list`.")]
LOOK_EVERY = 1.0  # seconds

rules = Collection(
    kind=TranscriptionRule,
    word="rule",
    group="transcript",
    columns=(
        Column(title="key", whole=True),
        Column(title="engine"),
        Column(title="receiver"),
        Column(title="model"),
        Column(title="language"),
        Column(title="calls"),
        Column(title="talk from"),
        Column(title="active"),
    ),
    row=lambda r: (
        r.id,
        r.engine,
        server_of(r.address) or "this machine",
        r.model,
        r.language,
        r.calls or "all",
        duration(r.least_talk_seconds),
        r.active,
    ),
)
rules.add_show(app)


def check_calls(text: str) -> str:
    """A query as in the address of the list of calls. Raises `InvalidInput`."""
    query = text.rpartition("?")[2]
    kept = CallQuery.read(parse_qsl(query)).pairs()
    if len(kept) != len(parse_qsl(query, keep_blank_values=True)):
        raise InvalidInput(
            f"'{text[:80]}' is not a filter: copy what follows the ? in the address of the list of "
            "calls, such as site=shop&talk_from=30"
        )
    return query


@app.command("add")
def add(
    key: Key,
    url: Annotated[
        str,
        typer.Option("--url", metavar="URL", help="Server with OpenAI's transcription API."),
    ] = "",
    local: Annotated[
        bool, typer.Option("--local", help="faster-whisper on this machine instead.")
    ] = False,
    model: Annotated[str, typer.Option(help="Name of the model, or a directory.")] = "",
    language: Annotated[str, typer.Option(help="Spoken language, ISO 639-1.")] = "ru",
    calls: Annotated[
        str, typer.Option(metavar="QUERY", help="Filter, as in the address of the list of calls.")
    ] = "",
    talk: Annotated[float, typer.Option(metavar="SECONDS", help="Minimum talk time.")] = 10.0,
    token: Annotated[bool, typer.Option("--token", help="Prompt for the server's token.")] = False,
    password_stdin: FromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Add a rule that transcribes calls. With --url, recordings are sent to that server."""
    if local == bool(url):
        raise typer.BadParameter("give --url or --local")
    rule = TranscriptionRule(
        id=key,
        engine=Engine.LOCAL if local else Engine.HTTP,
        calls=check_calls(calls),
        least_talk_seconds=talk,
        address=check_speech_address(url) if url else "",
        model=model,
        language=language,
        created_at=now(),
    )
    secret = None
    if token or password_stdin:
        secret = read_password(from_stdin=password_stdin, what="the server's token")
    settings = read_settings()
    added = with_store(lambda store: setup.add(store, rule), settings)
    if secret:
        kept = {"token": secret, "server": server_of(rule.address)}
        keep_token(settings.home, TOKENS + key, kept)
    if url and not as_json:
        note(f"Recordings of these calls are sent to {server_of(rule.address)}.")
    rules.tell(added, "added", as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all rules."""
    rules.find(as_json)


@app.command("remove")
def remove(
    keys: Annotated[
        list[str], typer.Argument(metavar="KEY", help="See `ringtrace transcript list`.")
    ],
) -> None:
    """Remove rules and their tokens. Transcripts stay."""
    settings = read_settings()

    async def work(store: Store) -> None:
        for key in keys:
            await setup.remove(store, TranscriptionRule, key)

    with_store(work, settings)
    for key in keys:
        keep_token(settings.home, TOKENS + key, None)
        say(f"The rule {key} was removed.")


@app.command("make")
def make(
    call_ids: Annotated[
        list[str], typer.Argument(metavar="CALL_ID", help="See `ringtrace call list`.")
    ],
    as_json: AsJson = False,
) -> None:
    """Transcribe these calls, even if no rule selects them; failed ones are tried again."""
    ordered = with_store(lambda store: order_transcripts(store, call_ids, now()))
    if as_json:
        print_json({"ordered": ordered})
    else:
        say(f"Calls to transcribe: {ordered}. `ringtrace transcript status` shows the progress.")


@app.command("text")
def text(call_id: CallId, as_json: AsJson = False) -> None:
    """Print what was said in a call."""
    view = with_store(lambda store: get_transcript(store, call_id))
    if as_json:
        print_json({"transcript": plain(view.transcript), "segments": plain(view.segments)})
        return
    for line in view.segments:
        say(f"{duration(line.at):>7}  {line.side:<7}  {line.text}")
    if not view.segments and view.transcript:
        note(str(view.transcript.outcome or view.transcript.state))


@app.command("status")
def status(
    follow: Annotated[
        bool, typer.Option("--follow", help="Show progress until no call is waiting.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show how many calls are transcribed, waiting or failed, and the progress of each."""
    settings = read_settings()
    if follow:
        asyncio.run(_follow(settings))
    counts, waiting = with_store(_look, settings)
    if as_json:
        rows = []
        for (rule, state), count in counts.items():
            rows.append({"rule": rule, "state": state, "count": count})

        print_json({"counts": rows, "waiting": plain(waiting)})
        return
    _print_status(counts, waiting)


def _print_status(
    counts: Mapping[tuple[str, TranscriptState], int], waiting: list[Transcript]
) -> None:
    rows = [(rule, state, count) for (rule, state), count in sorted(counts.items())]
    columns = (Column(title="rule"), Column(title="state"), Column(title="calls", right=True))
    print_table(columns, rows, empty="No call was transcribed yet.")
    heard = [transcript for transcript in waiting if transcript.progress > 0 or transcript.outcome]
    columns = (Column(title="call", whole=True), Column(title="done"), Column(title="reason"))
    lines = []
    for transcript in heard[:20]:
        lines.append(
            (transcript.call_id, f"{transcript.progress:.0%}", str(transcript.outcome or ""))
        )

    print_table(columns, lines, title="Now")


async def _look(
    store: Store,
) -> tuple[Mapping[tuple[str, TranscriptState], int], list[Transcript]]:
    async with store.read() as session:
        return await session.transcripts.counts(), await session.transcripts.waiting()


async def _follow(settings: Settings) -> None:
    async with ready_store(settings) as store:
        _, waiting = await _look(store)
        total = len(waiting)
        with progress() as bar:
            task = bar.add_task("Calls", total=total)
            while waiting:
                done = total - len(waiting) + sum(transcript.progress for transcript in waiting)
                bar.update(task, completed=max(0.0, done))
                await asyncio.sleep(LOOK_EVERY)
                _, waiting = await _look(store)
