"""Access: users by password, programs by token."""

import asyncio
import contextlib
import hashlib
import re
import secrets
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from router.domain.access import PERSONAL, LoginSession, Person, Role, Scope, Token
from router.domain.text import one_line, storable
from router.domain.visitors.site import Step
from router.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooManyAttempts
from router.service.calls.views import forget_author
from router.service.ports import Session, Store

_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
SHORTEST_PASSWORD = 10
LONGEST_EMPLOYEE = 200
_hasher = PasswordHasher()
MOST_WAITING = 20  # log-ins, about two seconds of work
# One at a time, so that guessing cannot use every processor. Browsers that logged in before have a
# separate queue.
_hashing = {
    known: ThreadPoolExecutor(max_workers=1, thread_name_prefix="password")
    for known in (False, True)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token and its secret, which is shown once and not stored."""

    token: Token
    secret: str


async def log_in(store: Store, login: str, password: str, *, known_device: bool = False) -> Person:
    """The user with this login and password. Raises `NotAllowed`, equally fast for both mistakes,
    and `TooManyAttempts` if too many attempts are waiting.
    """
    async with store.read() as session:
        person = await session.peek(Person, login)
    try:
        if person:
            known = person.password_hash
        else:
            known = _nobody()

        await _verify(known, password, known_device)
    except (Argon2Error, InvalidHashError) as error:
        raise NotAllowed("Wrong login or password.") from error
    if person is None:
        raise NotAllowed("Wrong login or password.")
    return person


async def _verify(password_hash: str, password: str, known_device: bool) -> None:
    """Compare a password, which is slow on purpose, outside the event loop."""
    queue = _hashing[known_device]
    if queue._work_queue.qsize() >= MOST_WAITING:
        raise TooManyAttempts
    await asyncio.get_running_loop().run_in_executor(queue, _hasher.verify, password_hash, password)


async def begin_session(store: Store, begun: LoginSession) -> None:
    """Store a session, and remove expired ones of the same user."""
    async with store.write() as session:
        for known in await session.find(LoginSession, login=begun.login):
            if known.expires_at <= begun.created_at:
                await session.remove(LoginSession, known.digest)
        await session.add(begun)


async def end_session(store: Store, digest: str) -> None:
    """End a session."""
    with contextlib.suppress(NotFound):
        async with store.write() as session:
            await session.remove(LoginSession, digest)


async def find_person(store: Store, digest: str, now: datetime) -> Person | None:
    """The user of a valid session, if they still exist."""
    async with store.read_inline() as session:
        known = await session.peek(LoginSession, digest)
        if known is None or known.expires_at <= now:
            return None
        return await session.peek(Person, known.login)


async def add_person(
    store: Store,
    login: str,
    password: str,
    role: Role,
    now: datetime,
    *,
    employee: str | None = None,
) -> Person:
    """Add a user; `employee` is who they are in calls. Raises `InvalidInput` and `Conflict`."""
    if not _LOGIN.fullmatch(login):
        raise InvalidInput(f"'{login[:70]}' cannot be a login: 1 to 64 of A-Z a-z 0-9 . _ @ -")
    person = Person(
        login=login,
        password_hash=_hash(password),
        role=role,
        created_at=now,
        employee=_employee(employee),
    )
    _check_employee(person)
    async with store.write() as session:
        await session.add(person)
    return person


async def set_password(store: Store, login: str, password: str) -> None:
    """Change a password. Raises `NotFound`."""
    async with store.write() as session:
        person = await session.get(Person, login)
        await session.change(replace(person, password_hash=_hash(password)))


async def list_people(store: Store) -> list[Person]:
    """All users, by login."""
    async with store.read() as session:
        return await session.find(Person)


async def set_role(store: Store, login: str, role: Role) -> Person:
    """Change a user's role. Raises `NotFound`, and `Conflict` for the last administrator."""
    async with store.write() as session:
        person = replace(await session.get(Person, login), role=role)
        if role is not Role.ADMINISTRATOR:
            await _keep_an_administrator(session, without=login)
        _check_employee(person)
        await session.change(person)
    return person


async def set_employee(store: Store, login: str, employee: str | None) -> Person:
    """Change who a user is in calls; None is no employee. Raises `NotFound`, and
    `InvalidInput` for a user who sees nothing else.
    """
    async with store.write() as session:
        person = replace(await session.get(Person, login), employee=_employee(employee))
        _check_employee(person)
        await session.change(person)
    return person


async def set_phone(store: Store, login: str, phone: str) -> Person:
    """Set the phone that rings when this user calls back; empty: none. Raises `NotFound`, and
    `InvalidInput` for several phones or one that cannot be dialled.
    """
    if phone:
        Step(dial=phone)
    if "&" in phone:
        raise InvalidInput("One phone rings: write it without &.")
    async with store.write() as session:
        person = replace(await session.get(Person, login), phone=phone)
        await session.change(person)
    return person


async def set_scopes(store: Store, login: str, scopes: Iterable[Scope]) -> Person:
    """Set what a user may do beyond the role. Raises `NotFound` and `InvalidInput`."""
    chosen = tuple(sorted(set(scopes)))
    if not set(chosen) <= set(PERSONAL):
        raise InvalidInput(f"a user can be given these scopes: {', '.join(PERSONAL)}")
    async with store.write() as session:
        person = replace(await session.get(Person, login), scopes=chosen)
        await session.change(person)
    return person


async def remove_person(store: Store, login: str) -> None:
    """Remove a user, the views that they did not share, and the scores that they did not submit.
    Raises `NotFound`, and `Conflict` for the last administrator.
    """
    async with store.write() as session:
        await session.get(Person, login)
        await _keep_an_administrator(session, without=login)
        await forget_author(session, login)
        await session.scores.forget(login)
        await session.remove(Person, login)


async def _keep_an_administrator(session: Session, *, without: str) -> None:
    others = [p for p in await session.find(Person, role=Role.ADMINISTRATOR) if p.login != without]
    if not others:
        raise Conflict(
            f"'{without}' is the last administrator: make another user administrator first."
        )


def _employee(text: str | None) -> str | None:
    return one_line(storable(text or ""), LONGEST_EMPLOYEE) or None


def _check_employee(person: Person) -> None:
    if person.role is Role.EMPLOYEE and person.employee is None:
        raise InvalidInput(
            "The role employee sees only the scores of an employee: name the employee, as the"
            " list of calls does, e.g. PJSIP/anna."
        )


async def list_tokens(store: Store) -> list[Token]:
    """Every token, by id."""
    async with store.read() as session:
        return await session.find(Token)


async def revoke_token(store: Store, token_id: str) -> None:
    """End a token at once. Raises `NotFound`."""
    async with store.write() as session:
        await session.remove(Token, token_id)


async def create_token(store: Store, name: str, scopes: Iterable[Scope], now: datetime) -> NewToken:
    """A bearer token of a program."""
    chosen = tuple(sorted(set(scopes)))
    if not chosen:
        raise InvalidInput(f"a token needs at least one scope of: {', '.join(Scope)}")
    secret = f"rt_{secrets.token_urlsafe(32)}"
    token = Token(
        id=secrets.token_hex(4),
        name=name[:80],
        digest=_digest(secret),
        scopes=chosen,
        created_at=now,
    )
    async with store.write() as session:
        await session.add(token)
    return NewToken(token=token, secret=secret)


async def check_token(store: Store, secret: str, scope: Scope) -> Token:
    """The token of this secret, if it may do `scope`. Raises `NotAllowed`."""
    async with store.read_inline() as session:
        found = await session.find(Token, digest=_digest(secret))
    if not found:
        raise NotAllowed("This token is unknown: create one with `ringtrace token create`.")
    if scope not in found[0].scopes:
        raise NotAllowed(f"This token lacks the scope {scope}.")
    return found[0]


@cache
def _nobody() -> str:
    """A hash to compare if the login is unknown, so that both mistakes take equal time."""
    return _hasher.hash(secrets.token_urlsafe())


def _hash(password: str) -> str:
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput(f"a password has at least {SHORTEST_PASSWORD} characters")
    return _hasher.hash(password)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
