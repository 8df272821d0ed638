"""Checks the options `pipeline` and `status` of an amoCRM connection against the account."""

from collections.abc import Mapping

from router.receivers.amocrm.account import Account, Row, embedded, number
from router.service.delivery.ports import Check


async def check_pipeline(account: Account, options: Mapping[str, str]) -> list[Check]:
    """Whether new leads can be created in the pipeline and with the status that were given."""
    pipeline, status = options.get("pipeline"), options.get("status")
    if not pipeline and not status:
        return []
    rows = await account.rows("leads/pipelines")
    chosen = _with_id(rows, pipeline)
    checks = [_check_pipeline(pipeline, chosen)] if pipeline else []
    if status:
        checks.append(_check_status(status, rows, chosen))
    return checks


def _check_pipeline(pipeline: str, chosen: Row | None) -> Check:
    what = f"the pipeline {pipeline}"
    if chosen is None:
        return Check(what=what, well=False, mend="give the number of a pipeline that exists")
    mend = "this pipeline is archived: restore it in amoCRM, or give the number of another one"
    return Check(what=what, well=chosen.get("is_archive") is not True, mend=mend)


def _check_status(status: str, pipelines: list[Row], chosen: Row | None) -> Check:
    """A status belongs to one pipeline; only won and lost (142, 143) are in each."""
    what = f"the status {status}"
    owners = [row for row in pipelines if _with_id(embedded(row, "statuses"), status)]
    if not owners:
        return Check(what=what, well=False, mend="give the number of a status that exists")
    if chosen is not None and chosen not in owners:
        mend = (
            f"this status is of the pipeline {owners[0].get('id')}, not of {chosen.get('id')}:"
            " give a status of the same pipeline"
        )
        return Check(what=what, well=False, mend=mend)
    mend = f"the pipeline {owners[0].get('id')} of this status is archived: give another status"
    archived = all(row.get("is_archive") is True for row in owners)
    return Check(what=what, well=not archived or chosen is not None, mend=mend)


def _with_id(rows: list[Row], wanted: str | None) -> Row | None:
    key = number(wanted)
    return next((row for row in rows if key is not None and number(row.get("id")) == key), None)
