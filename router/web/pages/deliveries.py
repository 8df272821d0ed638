"""The deliveries page: needs review, failed, receivers, delivered."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from router.domain.access import Person
from router.domain.delivery.codes import SendingCode
from router.domain.delivery.crm_codes import CrmCode
from router.domain.delivery.delivery import Delivery, DeliveryState
from router.domain.delivery.entity import EntityKind, Ref
from router.service.delivery.manage import (
    choose_entity,
    drop_delivery,
    resend_delivery,
    resend_failed,
)
from router.service.delivery.status import (
    DeliveryPage,
    count_unsettled,
    find_deliveries,
    receiver_statuses,
)
from router.web.api.models.deliveries import ID
from router.web.deps import (
    AppStateOf,
    LoggedIn,
    Now,
    StoreOf,
    administrator,
    logged_in,
    person_or_none,
    same_origin,
)
from router.web.words import N_

router = APIRouter(include_in_schema=False)
ROWS = 20
SECTIONS = (DeliveryState.NEEDS_REVIEW, DeliveryState.FAILED, DeliveryState.DONE)
KindName = Annotated[EntityKind, Form()]
EntityId = Annotated[str, Form(pattern=ID)]
REASONS: Mapping[str, str] = {  # by the code of its last outcome
    CrmCode.SEVERAL_ENTITIES: N_("Several CRM records match this call equally well."),
    CrmCode.ONLY_OUR_ENTITY: N_(
        "Only Ringtrace's own CRM user created records for this call, and those are "
        "not matched. Create a separate CRM user for Ringtrace."
    ),
    CrmCode.NO_ENTITY: N_("No matching CRM record was created; these are the closest."),
    SendingCode.RECEIVER_REMOVED: N_("The receiver was removed or disabled."),
    CrmCode.CHOICE_REFUSED: N_("The CRM refused the chosen record. Choose again."),
    SendingCode.DEADLINE: N_("Delivery failed for three days. You can resend it."),
    SendingCode.CUT_OFF: N_(
        "Too late: the receiver accepts this only for a limited time after the call."
    ),
    SendingCode.UNREADABLE_PAYLOAD: N_("The data was stored by another version of Ringtrace."),
}
NOTHING_APPEARED = N_("No CRM record was created for this call.")
WORN_OUT = N_("All %(num)s attempts failed.")
REFUSED = N_("The receiver refused this. Fix the cause in its answer, then resend.")


async def count(
    request: Request, store: StoreOf, person: Annotated[Person | None, Depends(person_or_none)]
) -> None:
    """Count deliveries that need a person, for the badge of every page."""
    if person is not None and request.method == "GET":
        request.state.unsettled = await count_unsettled(store)


def why(delivery: Delivery) -> str:
    """The reason why a person is needed, as a message."""
    code = ""
    if delivery.last_error:
        code = delivery.last_error.code

    needs_review = delivery.state is DeliveryState.NEEDS_REVIEW
    if needs_review and not delivery.candidates and code != CrmCode.CHOICE_REFUSED:
        return NOTHING_APPEARED
    return REASONS.get(code) or (WORN_OUT if delivery.due_at >= delivery.deadline_at else REFUSED)


@router.get("/deliveries")
async def deliveries(
    request: Request,
    app_state: AppStateOf,
    person: LoggedIn,
    store: StoreOf,
    more: DeliveryState | None = None,
    cursor: str | None = None,
) -> Response:
    """The page; with a cursor, the section `more` continues there."""
    pages: dict[DeliveryState, DeliveryPage] = {}
    for state in SECTIONS:
        pages[state] = await find_deliveries(
            store, state=state, cursor=cursor if state is more else None, limit=ROWS
        )
    statuses = await receiver_statuses(store)
    return app_state.pages.render(
        request,
        "deliveries.html",
        person=person,
        needs_review=pages[DeliveryState.NEEDS_REVIEW],
        failed=pages[DeliveryState.FAILED],
        done=pages[DeliveryState.DONE],
        statuses=statuses,
        receivers={status.receiver_id: status.receiver for status in statuses if status.receiver},
        why=why,
    )


@router.post(
    "/deliveries/{delivery_id}/entity", dependencies=[Depends(same_origin), Depends(logged_in)]
)
async def choose(
    store: StoreOf,
    now: Now,
    delivery_id: str,
    kind: KindName,
    id: EntityId,  # noqa: A002
) -> Response:
    """Choose the record."""
    await choose_entity(store, delivery_id, Ref(kind=kind, id=id), now)
    return RedirectResponse("/deliveries#needs_review", 303)


@router.post(
    "/deliveries/{delivery_id}/resend", dependencies=[Depends(same_origin), Depends(administrator)]
)
async def resend(store: StoreOf, now: Now, delivery_id: str) -> Response:
    """Resend one, or search again for its record."""
    await resend_delivery(store, delivery_id, now)
    return RedirectResponse("/deliveries#receivers", 303)


@router.post(
    "/deliveries/{delivery_id}/dismiss", dependencies=[Depends(same_origin), Depends(administrator)]
)
async def dismiss(store: StoreOf, now: Now, delivery_id: str, back: DeliveryState) -> Response:
    """Dismiss one; `back` is its section."""
    await drop_delivery(store, delivery_id, now)
    return RedirectResponse(f"/deliveries#{back}", 303)


@router.post("/deliveries/resend", dependencies=[Depends(same_origin), Depends(administrator)])
async def resend_all(store: StoreOf, now: Now) -> Response:
    """Resend all failed deliveries."""
    await resend_failed(store, now)
    return RedirectResponse("/deliveries#receivers", 303)
