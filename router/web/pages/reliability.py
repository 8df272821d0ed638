"""The reliability page: probabilities compared with proved calls."""

from dataclasses import replace
from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from router.domain.attribution.calibration import FEW, Proof
from router.domain.visitors.site import Site
from router.service.admin.setup import list_all
from router.service.calls.reliability import reliability
from router.web.deps import AppStateOf, LoggedIn, Now, StoreOf
from router.web.pages.filters import Filters
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
    filters, formats = Filters.read(request.query_params), formats_of(request)
    if filters.since is None:
        filters = replace(
            filters, since=(filters.until or formats.today()) - timedelta(days=USUAL_DAYS - 1)
        )
    wanted = filters.wanted(formats.zone)
    until = wanted.until or now
    since = max(wanted.since or until - LONGEST, until - LONGEST)
    return app_state.pages.render(
        request,
        "reliability.html",
        person=person,
        filters=filters,
        sites={site.id: site for site in await list_all(store, Site)},
        found=await reliability(store, filters.site, since, until),
        proofs=PROOFS,
        few=FEW,
    )
