"""The REST API: what programs may ask with a token, and what browsers on the company's sites may ask without."""

from fastapi import APIRouter

from router.web.api import calls, deliveries, leases, numbers, recordings, setup

router = APIRouter()
for part in (setup, numbers, leases, calls, recordings, deliveries):
    router.include_router(part.router)
