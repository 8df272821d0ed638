"""The REST API: what programs may ask with a token, and what browsers on the company's sites may
ask without.

What the script on those pages asks stands apart, in `visits`: `create_app` puts it before all else.
"""

from fastapi import APIRouter

from router.web.api import (
    calls,
    connections,
    deliveries,
    entities,
    hints,
    leases,
    mails,
    numbers,
    recordings,
    setup,
)

router = APIRouter()
for part in (
    setup,
    numbers,
    leases,
    calls,
    entities,
    recordings,
    deliveries,
    mails,
    connections,
    hints,
):
    router.include_router(part.router)
