"""Sites, destinations, pools and webhooks: the same five verbs for each."""

from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from fastapi import APIRouter, Depends

from router.domain.access import Scope
from router.domain.delivery.delivery import Webhook, shown
from router.domain.visitors.site import Destination, Pool, Site
from router.errors import Conflict, NotAllowed, NotFound
from router.service.admin import setup
from router.service.ports import Store
from router.web.api.bodies import (
    DestinationBody,
    NewDestination,
    NewPool,
    NewSite,
    NewWebhook,
    PoolBody,
    SiteBody,
    WebhookBody,
)
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

READ = [Depends(needs(Scope.CONFIG_READ))]
WRITE = [Depends(needs(Scope.CONFIG_WRITE))]
MAY_FAIL = answers(NotFound, Conflict, NotLoggedIn, NotAllowed)

Thing = TypeVar("Thing", Site, Destination, Pool, Webhook)
Made = TypeVar("Made", Site, Destination, Pool, Webhook, covariant=True)


class New(Protocol, Generic[Made]):
    """A body that makes a thing."""

    def make(self, now: datetime) -> Made: ...


class Changed(Protocol):
    """A body that changes a thing."""

    def over(self, thing: Thing) -> Thing: ...


def collection(
    word: str, kind: type[Thing], new: type[New[Thing]], changed: type[Changed]
) -> APIRouter:
    """The routes of one kind of thing: list, get, add, change, remove."""
    routes = APIRouter(prefix=f"/{word}s", tags=[f"{word}s"], responses=MAY_FAIL)

    @routes.get("", response_model=list[kind], dependencies=READ, operation_id=f"list_{word}s")  # type: ignore[valid-type]
    async def every(store: StoreOf) -> Any:
        """All of them, ordered by id."""
        return [_shown(thing) for thing in await setup.list_all(store, kind)]

    @routes.get("/{id}", response_model=kind, dependencies=READ, operation_id=f"get_{word}")
    async def one(store: StoreOf, id: str) -> Any:  # noqa: A002
        """One of them."""
        return _shown(await setup.get_one(store, kind, id))

    @routes.post(
        "", response_model=kind, status_code=201, dependencies=WRITE, operation_id=f"add_{word}"
    )
    async def add(store: StoreOf, now: Now, body: new) -> Any:  # type: ignore[valid-type]
        """A new one."""
        read = await _read(store, body, getattr(body, "site_id", None))
        return await setup.add(store, read.make(now))

    @routes.put("/{id}", response_model=kind, dependencies=WRITE, operation_id=f"change_{word}")
    async def change(store: StoreOf, id: str, body: changed) -> Any:  # type: ignore[valid-type]  # noqa: A002
        """Change one; what is left out gets its default."""
        thing = await setup.get_one(store, kind, id)
        read = await _read(store, body, getattr(thing, "site_id", None))
        return _shown(await setup.change(store, read.over(thing)))

    @routes.delete("/{id}", status_code=204, dependencies=WRITE, operation_id=f"remove_{word}")
    async def remove(store: StoreOf, id: str, force: bool = False) -> None:  # noqa: A002
        """Remove one that nothing uses; `force` removes a webhook for which deliveries wait."""
        await setup.remove(store, kind, id, force=force)

    return routes


def _shown(thing: Any) -> Any:
    """What may be seen of it."""
    return shown(thing) if isinstance(thing, Webhook) else thing


async def _read(store: Store, body: Any, site_id: str | None) -> Any:
    """The body, a pool's numbers read as its site's country writes them."""
    if not isinstance(body, PoolBody):
        return body
    sites = await setup.list_all(store, Site, id=site_id)
    # without a site it is refused when it is written
    return body.spelled_out(sites[0].region) if sites else body


router = APIRouter()
router.include_router(collection("site", Site, NewSite, SiteBody))
router.include_router(collection("destination", Destination, NewDestination, DestinationBody))
router.include_router(collection("pool", Pool, NewPool, PoolBody))
router.include_router(collection("webhook", Webhook, NewWebhook, WebhookBody))
