"""The API answers with models of its own, and its description explains every field."""

import dataclasses
import inspect
import typing
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from router.domain.attribution.terms import Candidate
from router.domain.calls.call import Call, Leg, Period, Recording, Tag, Transfer
from router.domain.delivery.connection import Connection, Rules
from router.domain.delivery.delivery import Delivery, Webhook
from router.domain.delivery.entity import Entity, Found, Ref
from router.domain.delivery.sale import Sale
from router.domain.mail import Mail
from router.domain.paths import API
from router.domain.visitors.lease import Lease
from router.domain.visitors.site import (
    Destination,
    Pool,
    Site,
    SourceRule,
    Step,
    TrackingNumber,
)
from router.domain.visitors.visit import Visit, Visitor
from router.web.api import routes, visits
from router.web.api.models import (
    call_lists,
    calls,
    deliveries,
    mails,
    receivers,
    recordings,
    routing,
    sites,
)
from router.web.api.models import visits as visits_of
from router.web.api.models.base import Answer
from router.web.error_handlers import ANYWHERE


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """The API alone."""
    app = FastAPI(openapi_url=f"{API}/openapi.json")
    for router in (visits.router, routes.router):
        app.include_router(router, prefix=API, responses=ANYWHERE)
    return app


@pytest.fixture(scope="module")
def described(app: FastAPI) -> dict[str, Any]:
    """What OpenAPI says of it."""
    return app.openapi()


def routes_of(app: FastAPI) -> list[APIRoute]:
    """All routes of the API."""
    found = [route for router in (visits.router, routes.router) for route in _routes(router)]
    assert len(found) > 40
    return found


def _routes(router: Any) -> Iterator[APIRoute]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif inner := getattr(route, "original_router", None):
            yield from _routes(inner)


def types_in(kind: Any) -> Iterator[type]:
    """The classes in an annotation, those of a model's or a dataclass's fields too."""
    seen: set[Any] = set()
    waiting = [kind]
    while waiting:
        annotation = waiting.pop()
        if isinstance(annotation, typing.Hashable) and annotation in seen:
            continue
        seen.add(annotation)
        waiting += typing.get_args(annotation)
        if inspect.isclass(annotation):
            yield annotation
            if issubclass(annotation, BaseModel):
                waiting += [field.annotation for field in annotation.model_fields.values()]


def answers_of(route: APIRoute) -> list[Any]:
    """What a route may answer, errors too."""
    more = [answer.get("model") for answer in route.responses.values()]
    return [kind for kind in (route.response_model, *more) if kind is not None]


def test_no_answer_is_or_contains_a_record_of_the_domain(app: FastAPI) -> None:
    strangers = {
        (route.path, kind.__name__)
        for route in routes_of(app)
        for answer in answers_of(route)
        for kind in types_in(answer)
        if dataclasses.is_dataclass(kind)
        or (issubclass(kind, BaseModel) and not kind.__module__.startswith("router.web.api."))
    }
    assert strangers == set()


def test_this_test_finds_a_record_inside_an_answer() -> None:
    @dataclasses.dataclass
    class Record:
        id: str

    class Holder(Answer):
        inner: tuple[Record | None, ...]

    assert Record in set(types_in(list[Holder]))


def test_every_schema_of_the_description_is_a_model_of_the_api(
    app: FastAPI, described: dict[str, Any]
) -> None:
    models = {
        kind.__name__
        for route in routes_of(app)
        for annotation in (*answers_of(route), *inspect.get_annotations(route.endpoint).values())
        for kind in types_in(annotation)
        if issubclass(kind, StrEnum) or kind.__module__.startswith("router.web.api.")
    }
    schemas = described["components"]["schemas"]
    named = {name.removesuffix("-Input").removesuffix("-Output") for name in schemas}
    assert named <= models


def test_every_field_is_described(described: dict[str, Any]) -> None:
    schemas = _schemas(described)

    def says(facts: dict[str, Any]) -> bool:
        """Whether it is described, itself or by the set of words that it refers to."""
        named = schemas.get(facts.get("$ref", "").rpartition("/")[2], {})
        return bool(facts.get("description") or named.get("description"))

    silent = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, facts in schema.get("properties", {}).items()
        if not says(facts)
    ]
    assert silent == []


def test_every_field_that_is_a_duration_or_a_size_names_its_unit(
    described: dict[str, Any],
) -> None:
    units = {"seconds": "econd", "bytes": "byte", "dbfs": "dB", "at": "UTC"}
    silent = [
        f"{name}.{field}"
        for name, schema in _schemas(described).items()
        for field, facts in schema.get("properties", {}).items()
        if (unit := units.get(field.rpartition("_")[2])) and unit not in facts["description"]
    ]
    assert [name for name in silent if name != "Sold.at"] == []


def test_every_parameter_and_every_answer_is_described(described: dict[str, Any]) -> None:
    silent = []
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            here = f"{method} {path}"
            parameters = operation.get("parameters", ())
            silent += [
                f"{here} {parameter['name']}"
                for parameter in parameters
                if not parameter.get("description")
            ]
            assert operation["description"], here
            assert {"400", "413", "422", "500", "503"} <= set(operation["responses"]), here
            for status, answer in operation["responses"].items():
                assert answer["description"], f"{here} {status}"
    assert silent == []


# what no program needs to know
OURS = {
    Call: {"spool_name"},
    Recording: {
        "spool_name",
        "call_id",
        "expected_seconds",
        "due_at",
        "attempts",
        "key",
        "peaks",
        "spans",
        "links_revoked",
    },
    Visit: {"client"},
    Delivery: {"claimed_until"},
}
ANSWERED = {
    call_lists.Sale: Sale,
    calls.Call: Call,
    calls.Leg: Leg,
    calls.Period: Period,
    calls.Candidate: Candidate,
    calls.Tag: Tag,
    calls.Transfer: Transfer,
    deliveries.Delivery: Delivery,
    deliveries.Entity: Entity,
    deliveries.Found: Found,
    deliveries.Ref: Ref,
    mails.Mail: Mail,
    receivers.Connection: Connection,
    receivers.Rules: Rules,
    receivers.Webhook: Webhook,
    recordings.Recording: Recording,
    routing.Destination: Destination,
    routing.Step: Step,
    routing.TrackingNumber: TrackingNumber,
    sites.Pool: Pool,
    sites.Site: Site,
    sites.SourceRule: SourceRule,
    visits_of.Lease: Lease,
    visits_of.Visit: Visit,
    visits_of.Visitor: Visitor,
}


@pytest.mark.parametrize("model", ANSWERED, ids=lambda model: model.__name__)
def test_a_field_that_a_record_gets_is_answered_or_left_out_on_purpose(
    model: type[Answer],
) -> None:
    record = ANSWERED[model]
    known = {field.name for field in dataclasses.fields(record)} - OURS.get(record, set())
    assert known == set(model.model_fields) - {"url"} | ({"url"} & known)


def test_every_path_carries_the_version(described: dict[str, Any]) -> None:
    assert all(path.startswith("/api/v1/") for path in described["paths"])


def _schemas(described: dict[str, Any]) -> dict[str, Any]:
    """Named schemas, and those of bodies that a route reads itself."""
    bodies = {
        schema["title"]: schema
        for operations in described["paths"].values()
        for operation in operations.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
        if "properties" in (schema := content["schema"])
    }
    assert len(bodies) == 7
    return bodies | described["components"]["schemas"]
