"""What `make bench-desk` measures."""

from urllib.parse import parse_qsl, urlsplit

from router.domain.calls.call_filter import CHOICES, FLAGS, RANGES
from router.domain.calls.call_query import parameter_of
from tests.bench.desk import END
from tests.bench.desk_requests import requests
from tests.bench.desk_seed import Seed


def test_every_filter_of_the_list_is_measured() -> None:
    asked = {
        name.removeprefix("not_").removesuffix("_from").removesuffix("_to")
        for request in requests(Seed(1000, END), END)
        for name, _ in parse_qsl(urlsplit(request.path).query)
    }
    filters = {parameter_of(name) for name in (*CHOICES, *RANGES, *FLAGS, "entity")}
    assert filters | {"text", "since", "until", "hour", "sort"} <= asked


def test_requests_are_named_once() -> None:
    names = [request.name for request in requests(Seed(1000, END), END)]
    assert len(names) == len(set(names))
