"""Sites, destinations, pools and webhooks: the same five verbs for each."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Generic, Protocol, TypeVar

from fastapi import APIRouter, Depends, Path, Query

from router.domain.access import Scope
from router.domain.delivery.delivery import Webhook
from router.domain.visitors.site import Destination, Pool, Site
from router.errors import Conflict, NotAllowed, NotFound
from router.service.admin import setup
from router.service.ports import Store
from router.web.api.models import receivers, routing, sites
from router.web.api.models.base import Answer, Body
from router.web.deps import NotLoggedIn, Now, StoreOf, needs
from router.web.error_handlers import answers

READ = [Depends(needs(Scope.CONFIG_READ))]
WRITE = [Depends(needs(Scope.CONFIG_WRITE))]
Id = Annotated[str, Path(description="Its key.")]
Force = Annotated[bool, Query(description="Remove a webhook even if deliveries are pending.")]
MAY_FAIL = answers(NotFound, Conflict, NotLoggedIn, NotAllowed)

Thing = TypeVar("Thing", Site, Destination, Pool, Webhook)
Made = TypeVar("Made", Site, Destination, Pool, Webhook, covariant=True)


class New(Protocol, Generic[Made]):
    """A body that creates an object."""

    def make(self, now: datetime) -> Made: ...


def collection(
    word: str,
    kind: type[Thing],
    answer: type[Answer],
    new: type[New[Thing]],
    changed: type[Body],
) -> APIRouter:
    """The routes of one kind of object: list, get, add, change, remove."""
    routes = APIRouter(prefix=f"/{word}s", tags=[f"{word}s"], responses=MAY_FAIL)

    @routes.get(
        "",
        response_model=list[answer],  # type: ignore[valid-type]
        dependencies=READ,
        operation_id=f"list_{word}s",
        description=f"All {word}s, ordered by id.",
    )
    async def every(store: StoreOf) -> Any:
        return [answer.of(thing) for thing in await setup.list_all(store, kind)]

    @routes.get(
        "/{id}",
        response_model=answer,
        dependencies=READ,
        operation_id=f"get_{word}",
        description=f"One {word}.",
    )
    async def one(store: StoreOf, id: Id) -> Any:  # noqa: A002
        return answer.of(await setup.get_one(store, kind, id))

    @routes.post(
        "",
        response_model=answer,
        status_code=201,
        dependencies=WRITE,
        operation_id=f"add_{word}",
        description=f"Add a {word}.",
    )
    async def add(store: StoreOf, now: Now, body: new) -> Any:  # type: ignore[valid-type]
        read = await _read(store, body, getattr(body, "site_id", None))
        return answer.of(await setup.add(store, read.make(now)))

    @routes.put(
        "/{id}",
        response_model=answer,
        dependencies=WRITE,
        operation_id=f"change_{word}",
        description=f"Replace a {word}; omitted fields get their defaults.",
    )
    async def change(store: StoreOf, id: Id, body: changed) -> Any:  # type: ignore[valid-type]  # noqa: A002
        thing = await setup.get_one(store, kind, id)
        read = await _read(store, body, getattr(thing, "site_id", None))
        return answer.of(await setup.change(store, replace(thing, **read.fields())))

    @routes.delete(
        "/{id}",
        status_code=204,
        dependencies=WRITE,
        operation_id=f"remove_{word}",
        description=f"Remove a {word}; 409 while it is in use.",
    )
    async def remove(store: StoreOf, id: Id, force: Force = False) -> None:  # noqa: A002
        await setup.remove(store, kind, id, force=force)

    return routes


async def _read(store: Store, body: Any, site_id: str | None) -> Any:
    """The body, with a pool's numbers parsed for its site's country."""
    if not isinstance(body, sites.PoolBody):
        return body
    found = await setup.list_all(store, Site, id=site_id)
    # without a site it is refused later
    if not found:
        return body
    return body.spelled_out(found[0].region)


router = APIRouter()
router.include_router(collection("site", Site, sites.Site, sites.NewSite, sites.SiteBody))
router.include_router(
    collection(
        "destination",
        Destination,
        routing.Destination,
        routing.NewDestination,
        routing.DestinationBody,
    )
)
router.include_router(collection("pool", Pool, sites.Pool, sites.NewPool, sites.PoolBody))
router.include_router(
    collection("webhook", Webhook, receivers.Webhook, receivers.NewWebhook, receivers.WebhookBody)
)
