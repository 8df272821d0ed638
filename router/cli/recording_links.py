"""`ringtrace recording link` and `revoke`: links to recordings that need no log-in."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import typer

from router.bootstrap import now
from router.cli.opening import read_settings, with_store
from router.cli.output import AsJson, print_json, say
from router.domain.calls.call import Recording, RecordingState
from router.errors import InvalidInput
from router.recording_links import recording_links
from router.secrets import renew_link_key
from router.service.delivery.connections import MOST_DAYS
from router.service.ports import Store


def link(
    call_id: Annotated[str, typer.Argument(metavar="CALL_ID", help="See `ringtrace call list`.")],
    days: Annotated[float, typer.Option(metavar="DAYS", help="How long the link works.")] = 7.0,
    as_json: AsJson = False,
) -> None:
    """Print a link to a recording. Anyone who has it can listen, without logging in."""
    if not 0 < days <= MOST_DAYS:
        raise InvalidInput(f"a link works for at most {MOST_DAYS} days")
    settings = read_settings()

    async def work(store: Store) -> Recording:
        async with store.read() as session:
            return await session.get(Recording, call_id)

    recording = with_store(work, settings)
    if recording.state is not RecordingState.STORED:
        raise InvalidInput(f"the recording of {call_id} is {recording.state}")
    until = now() + timedelta(days=days)
    address = recording_links(settings)(recording, until)
    if as_json:
        print_json({"link": address, "until": until})
    else:
        say(address)


def revoke(
    call_ids: Annotated[
        list[str] | None, typer.Argument(metavar="CALL_ID", help="See `ringtrace call list`.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="The links of every recording.")] = False,
    as_json: AsJson = False,
) -> None:
    """Revoke the links to recordings that need no log-in, also those in CRMs."""
    ids = list(dict.fromkeys(call_ids or ()))
    if bool(ids) == every:
        raise typer.BadParameter("name calls, or --all")
    settings = read_settings()
    if every:
        renew_link_key(settings.home)
    else:
        with_store(lambda store: _revoke(store, ids), settings)
    if as_json:
        print_json({"revoked": "all" if every else ids})
    else:
        say("Every link was revoked." if every else f"Recordings whose links ended: {len(ids)}.")


async def _revoke(store: Store, ids: Sequence[str]) -> None:
    async with store.write() as session:
        for call_id in ids:
            recording = await session.get(Recording, call_id)
            await session.change(replace(recording, links_revoked=recording.links_revoked + 1))
