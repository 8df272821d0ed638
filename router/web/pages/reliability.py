"""The reliability page: probabilities compared with proved calls."""

from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from router.domain.attribution.calibration import FEW, Proof
from router.domain.calls.call_query import CallQuery
from router.domain.visitors.site import Site
from router.service.admin.setup import list_all
from router.service.calls.reliability import reliability
from router.service.ids import by_id
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf
from router.web.rendering import formats_of
from router.web.words import N_

router = APIRouter(include_in_schema=False)

USUAL_DAYS = 90
LONGEST = timedelta(days=400)  # per page
PROOFS = {
    Proof.CODE: N_("the caller gave the promo code shown to this visitor"),
    Proof.FORM: N_("only this visitor entered the same phone number in a form"),
    Proof.TAP: N_("only this visitor tapped the number within 2 minutes before the call"),
}


@router.get("/reliability")
async def page(
    request: Request, app_state: AppStateOf, person: LoggedIn, store: StoreOf, now: Now
) -> Response:
    """The chart, for a site or all of them and a range of days."""
    query, formats = CallQuery.read(request.query_params.multi_items()), formats_of(request)
    if query.since is None:
        last = query.until or formats.today()
        query = query.with_days(last - timedelta(days=USUAL_DAYS - 1), query.until)
    wanted = query.wanted(formats.zone, formats.today())
    sites = wanted.among("site_id")
    site_id = None
    if sites:
        site_id = sites.values[0]

    until = wanted.until or now
    since = max(wanted.since or until - LONGEST, until - LONGEST)
    return app_state.pages.render(
        request,
        "reliability.html",
        person=person,
        query=query,
        site_id=site_id,
        sites=by_id(await list_all(store, Site)),
        found=await reliability(store, site_id, since, until),
        proofs=PROOFS,
        few=FEW,
    )
