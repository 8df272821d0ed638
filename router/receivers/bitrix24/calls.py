"""Our own calls in Bitrix24's telephony, with their recordings."""

from collections.abc import Mapping, Sequence
from typing import Any

from router.domain.delivery.codes import AnswerCode
from router.domain.delivery.crm_codes import Bitrix24Code
from router.domain.delivery.entity import EntityKind, Ref
from router.receivers.bitrix24.items import key, number, records
from router.receivers.bitrix24.portal import Portal, rows
from router.receivers.json_body import mapping
from router.service.delivery.crm_ports import CallRecord
from router.service.delivery.outcomes import ReceiverUnavailable, Refused

_INCOMING, _TALKED = 2, "200"
_OWNERS = (
    EntityKind.CONTACT,
    EntityKind.COMPANY,
    EntityKind.LEAD,
)  # a call cannot be put on a deal
_KNOWN_AS = (".mp3", ".wav")


class Calls:
    """The `CallBook` of a portal. Bitrix24 downloads the recording and stores it."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    async def record(self, record: CallRecord) -> None:
        """Add the call. If it exists, its recording is sent again and replaces the former one."""
        if record.link and not record.file_name.endswith(_KNOWN_AS):
            raise Refused(Bitrix24Code.BITRIX24_OTHER_FORMAT)
        call_id = await self._there(record) or await self._registered(record)
        if not record.link:
            return
        attached = {
            "CALL_ID": call_id,
            "FILENAME": record.file_name,
            "RECORD_URL": record.link,
        }
        await self._ask("telephony.externalCall.attachRecord", attached)

    async def _there(self, record: CallRecord) -> str:
        """The call that an earlier attempt created, if the webhook may read the call statistics."""
        method, params = records(record.call.caller or "")
        said = await self._portal.batch({"calls": (method, params)}, optional=frozenset({"calls"}))
        for call in rows(said.get("calls")):
            if call.get("EXTERNAL_CALL_ID") == record.call.id:
                return str(call.get("CALL_ID") or "")
        return ""

    async def _registered(self, record: CallRecord) -> str:
        call, user = record.call, number(record.responsible or self._portal.user)
        asked: dict[str, Any] = {
            "USER_ID": user,
            "PHONE_NUMBER": call.caller,
            "TYPE": _INCOMING,
            "CALL_START_DATE": call.arrived_at.isoformat(timespec="seconds"),
            "CRM_CREATE": 0,
            "SHOW": 0,
            "EXTERNAL_CALL_ID": call.id,
            **_owner(record.refs),
        }
        made = mapping(await self._ask("telephony.externalCall.register", asked))
        call_id = str(made.get("CALL_ID") or "")
        if not call_id:
            raise ReceiverUnavailable(
                AnswerCode.INCOMPLETE_ANSWER, system="Bitrix24", missing="CALL_ID"
            )
        finished = {
            "CALL_ID": call_id,
            "USER_ID": user,
            "DURATION": round(call.talk_seconds),
            "STATUS_CODE": _TALKED,
        }
        await self._ask("telephony.externalCall.finish", finished)
        return call_id

    async def _ask(self, method: str, params: Mapping[str, Any]) -> Any:
        try:
            return await self._portal.call(method, params)
        except ReceiverUnavailable as error:
            if "WRONG_AUTH_TYPE" not in error.message:
                raise
            raise Refused(Bitrix24Code.BITRIX24_APPS_ALONE) from error


def _owner(refs: Sequence[Ref]) -> dict[str, Any]:
    mine = sorted((ref for ref in refs if ref.kind in _OWNERS), key=_place)
    if not mine:
        return {}
    return {"CRM_ENTITY_TYPE": mine[0].kind.upper(), "CRM_ENTITY_ID": key(mine[0])}


def _place(ref: Ref) -> int:
    return _OWNERS.index(ref.kind)
