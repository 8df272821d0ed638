"""Hosts of a site where its visitors pay or log in: who comes back from there has never left."""

import pytest

from router.domain.visitors.sources import brings_new_source, read_source
from router.errors import InvalidInput
from tests.support.builders import site
from tests.unit.known_sources import KNOWN, OWN, read
from tests.unit.test_sources import visit


@pytest.mark.parametrize(
    "referrer",
    [
        "https://vk.com/pay",
        "https://www.vk.com/",
        "https://acs.vk.com/3ds",
        "https://xn--80aad.xn--p1ai/",
    ],
)
def test_coming_back_from_them_goes_on_with_the_visit(referrer: str) -> None:
    hosts = ("www.vk.com", "ааб.рф")
    source = read_source("https://shop.ru/thanks", referrer, OWN, (), KNOWN.get, hosts)
    assert (source.within, source.direct, source.plain) == (True, True, False)
    advertisement = visit(read("https://shop.ru/?gclid=1"))
    assert not brings_new_source(advertisement, source)


def test_a_host_that_only_ends_like_one_is_a_referrer() -> None:
    source = read_source("https://shop.ru/", "https://notvk.com/", OWN, (), KNOWN.get, ("vk.com",))
    assert (source.within, source.medium) == (False, "referral")


@pytest.mark.parametrize("host", ["pay.example.com", "платёж.рф", "xn--e1afmkfd.xn--p1ai"])
def test_one_is_named_by_its_host(host: str) -> None:
    assert site(errand_hosts=(host,)).errand_hosts == (host,)


@pytest.mark.parametrize(
    "host", ["", "ru", "https://pay.example", "pay.example/x", "a..b", "a b.c"]
)
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(InvalidInput, match=r"write it as pay\.example\.com"):
        site(errand_hosts=(host,))
