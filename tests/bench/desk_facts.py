"""The facts of a seeded installation: its sites, names and outcomes, and who made which call."""

import json
from datetime import UTC, datetime
from functools import cache

SITES = {
    "shop": 30,
    "moscow": 15,
    "kazan": 12,
    "tver": 11,
    "omsk": 9,
    "perm": 8,
    "ufa": 6,
    "sochi": 6,
    "english": 3,
}

EMPTY_SITE = "empty"

NUMBERS_OF_A_SITE = 20

ENDINGS = {
    "answered": 60, "no_answer": 15, "abandoned_ringing": 8, "abandoned_early": 6, "busy": 4, "refused": 3,  # noqa: E501
    "unreachable": 2.5, "cut": 1.5,
}  # fmt: skip

VERDICTS = {
    "exact": 30,
    "static": 20,
    "unknown": 20,
    "frozen": 10,
    "stale": 8,
    "contested": 7,
    "repeat": 5,
}

NAMED = {"exact", "frozen", "stale"}

FIRST_NAMES = (
    "Мария",
    "Анна",
    "Иван",
    "Пётр",
    "Ольга",
    "Елена",
    "Сергей",
    "Дмитрий",
    "Наталья",
    "Алексей",
)

LAST_NAMES = (
    "Иванов",
    "Петров",
    "Семёнов",
    "Кузнецов",
    "Смирнов",
    "Попов",
    "Волков",
    "Соколов",
    "Лебедев",
    "Козлов",
)

EMPLOYEES = tuple(
    f"{name}-{desk}"
    for name in ("olga", "pavel", "irina", "maxim", "vera")
    for desk in range(100, 112)
)

RARE_EMPLOYEE = "zoya-999"

DESTINATIONS = ("office", "sales", "warehouse")  # 80 %, 20 %, a few calls


def site_of(visit: int) -> str:
    """The site of a visit, and of the calls it made."""
    return _sites()[visit * 37 % 100]


@cache
def _sites() -> tuple[str, ...]:
    return tuple(name for name, share in SITES.items() for _ in range(share))


def number_of(site: str, n: int) -> str:
    """A site's tracking number."""
    return f"+7495{list(SITES).index(site) + 100}{n:04}"


def called(n: int) -> str:
    """The number that a call came to."""
    return number_of(site_of(n // 3), 1 + n % (NUMBERS_OF_A_SITE - 1))


def caller_of(n: int) -> str:
    """Who called: some call again and again."""
    who = n * 7919 % 400_000
    return f"+79{(16, 5, 26, 3, 85)[who % 5]:02}{who * 104_729 % 10_000_000:07}"


def call_id(n: int) -> str:
    """The linkedid."""
    return f"rt1-17{n:08}.{n % 1000}"


def suspects_of(visit: int) -> list[dict[str, object]]:
    """The candidates of a call."""
    return [
        {
            "visitor_id": f"visitor-{visit + other}", "visit_id": f"visit-{visit + other}", "lease_id": None,  # noqa: E501
            "probability": 0.9 if other == 0 else 0.05, "evidence": ["on_page"],
        }
        for other in range(3)
    ]  # fmt: skip


def legs_of(n: int) -> str:
    """The caller's channel and the company's."""
    at = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    legs = [
        {"channel": f"PJSIP/{name}-{n:08x}", "role": role, "step": step, "started_at": at, "answered_at": at,  # noqa: E501
         "ended_at": at, "cause": 16}
        for name, role, step in (("carrier", "caller", 0), ("office", "company", 1))
    ]  # fmt: skip
    return json.dumps(legs)
