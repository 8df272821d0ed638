"""The invented company and its visitors: where they come from, who calls, who answers."""

from dataclasses import dataclass
from datetime import timedelta, timezone

ZONE = timezone(timedelta(hours=3))  # Moscow
OPENS, CLOSES, CLOSES_ON_SATURDAY = 9, 19, 16
EMPLOYEES = ("anna", "boris", "svetlana", "timur")
SUPERVISORS = ("irina", "pavel")


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedSite:
    """One of the company's sites, with its numbers."""

    id: str
    name: str
    origin: str
    paths: tuple[str, ...]
    company_number: str
    numbers: tuple[str, ...]  # of its pool
    static: dict[str, str]  # channel by number
    share: float  # of all visits

    @property
    def pool_id(self) -> str:
        """Its only pool."""
        return f"{self.id}-visitors"


SITES = (
    InventedSite(
        id="demo-tyres",
        name="Demo: tyre shop",
        origin="https://tyres.example",
        paths=("/", "/winter", "/summer", "/rims", "/delivery", "/contacts"),
        company_number="+74951230001",
        numbers=tuple(f"+749500001{place:02}" for place in range(16)),
        static={"+74950000201": "2GIS", "+74950000202": "Avito", "+74950000203": "Billboard"},
        share=0.7,
    ),
    InventedSite(
        id="demo-garage",
        name="Demo: garage",
        origin="https://garage.example",
        paths=("/", "/prices", "/alignment", "/contacts"),
        company_number="+74951230002",
        numbers=tuple(f"+749500003{place:02}" for place in range(7)),
        static={"+74950000401": "2GIS"},
        share=0.3,
    ),
)
UNKNOWN_DID = "74999999999"  # of no site


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How visitors come: the address they open, and where they come from."""

    weight: int
    query: str = ""  # {term} and {click} are filled in
    referrer: str | None = None
    terms: tuple[str, ...] = ("",)


_TERMS = ("winter tyres r16", "tyre shop near me", "michelin x-ice", "buy tyres moscow")
WAYS = (
    Way(
        weight=24,
        query="utm_source=yandex&utm_medium=cpc&utm_campaign=tyres-moscow&utm_term={term}"
        "&yclid={click}",
        terms=("зимние шины", "шиномонтаж рядом", "купить шины r16", "диски 17"),
    ),
    Way(
        weight=18,
        query="utm_source=google&utm_medium=cpc&utm_campaign=winter-tyres&utm_term={term}"
        "&gclid={click}",
        terms=_TERMS,
    ),
    Way(weight=7, query="utm_source=google&utm_medium=cpc&utm_campaign=brand&gclid={click}"),
    Way(weight=8, query="utm_source=vk&utm_medium=cpc&utm_campaign=spring"),
    Way(weight=14, referrer="https://yandex.ru/"),
    Way(weight=12, referrer="https://www.google.com/"),
    Way(weight=4, query="utm_source=newsletter&utm_medium=email&utm_campaign=november"),
    Way(weight=4, referrer="https://2gis.ru/"),
    Way(weight=9),
)
AGENTS = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36",
)
NAMES = (
    "Ivan Petrov", "Olga Smirnova", "Sergey", "Мария", "Алексей Кузнецов", "Elena", "Дмитрий",
    "Karim", "Наталья Орлова", "Artem",
)  # fmt: skip
COMMENTS = (
    "Asked twice about the price of fitting: put it on the page.",
    "Good: offered a time at once.",
    "Клиент долго ждал на удержании, перезвонить.",
    "Check the stock before promising delivery on Saturday.",
    "Цена названа уверенно, возражение снято.",
    "The caller compared us with another shop.",
)
# in recordings, Asterisk's prompts are said
WORD_LISTS = {
    "asked-to-wait": ("please hold", "one moment", "patience"),
    "something-wrong": ("terribly wrong", "not in service", "cannot be completed", "problems"),
}
BLOCKED = ("Offers a place in a catalogue, every week", "Automatic survey")
DISPUTES = (
    "The caller hung up before I could agree on the next step.",
    "I asked what they need at 0:12, it is in the recording.",
    "The question about the next step does not fit a call about opening hours.",
)
ANSWER = "You are right, I have heard it again."
# Busy hours: the share of each hour's visits, from midnight
HOURS = (1, 1, 1, 1, 1, 1, 2, 4, 7, 10, 12, 13, 12, 11, 11, 12, 12, 11, 10, 8, 6, 5, 4, 2)
WEEKDAYS = (1.15, 1.1, 1.05, 1.05, 1.0, 0.8, 0.45)
