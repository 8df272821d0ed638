"""Token endpoints as CRMs have them: an access token ends, a refresh token is used once where the
CRM rotates it, and what was used twice is revoked; and an API that wants the token where each wants
it.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CLIENT = {"client_id": "an-app", "client_secret": "a-secret-of-the-app"}
REDIRECT = "https://calls.example/oauth/callback"
CODE = "a-code-for-one-use"
_GRANT_ERROR = {"error": "invalid_grant", "error_description": "Token has been revoked."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one CRM does it."""

    kind: str
    path: str  # of its token endpoint
    rotates: bool
    body: str = "form"
    scheme: str = "Bearer"  # of requests; empty: the token is a parameter
    refusal: tuple[int, dict[str, Any]] = (400, _GRANT_ERROR)
    more: tuple[tuple[str, Any], ...] = ()  # in each answer
    option: str = ""  # that holds the server's address

    def options(self, address: str) -> dict[str, str]:
        path = self.path if self.option == "token_address" else ""
        return {self.option: address + path} if self.option else {}


AMOCRM = Dialect(
    kind="amocrm",
    path="/oauth2/access_token",
    rotates=True,
    body="json",
    refusal=(401, {"hint": "Token has been revoked", "title": "Bad request", "status": 401}),
)
BITRIX24 = Dialect(
    kind="bitrix24",
    path="/oauth/token/",
    rotates=True,
    scheme="",
    more=(("user_id", 17), ("member_id", "a223c6b3710f85df22e9377d6c4f7553")),
    option="oauth_server",
)
DIALECTS = (
    AMOCRM,
    BITRIX24,
    Dialect(
        kind="hubspot",
        path="/oauth/2026-03/token",
        rotates=False,
        refusal=(400, {"status": "BAD_REFRESH_TOKEN", "message": "unknown refresh token"}),
    ),
    Dialect(
        kind="google-ads",
        path="/token",
        rotates=False,
        option="token_address",
    ),
    Dialect(
        kind="zoho",
        path="/oauth/v2/token",
        rotates=False,
        scheme="Zoho-oauthtoken",
        refusal=(200, {"error": "invalid_code"}),
        option="accounts",
    ),
    Dialect(
        kind="pipedrive", path="/oauth/token", rotates=True, body="basic", option="oauth_server"
    ),
    Dialect(kind="metrica", path="/token", rotates=True, scheme="OAuth", option="oauth_server"),
    Dialect(kind="salesforce", path="/services/oauth2/token", rotates=False),
)


def _nothing() -> None:
    pass


@dataclass(kw_only=True)
class OAuthServer:
    """One app, which one account has allowed."""

    dialect: Dialect
    lasts: int = 3600
    issued: int = 0
    revoked: bool = False  # by a person, on a page of the CRM
    forgiving: bool = False  # the refresh token before the last one works as well
    used_twice: list[str] = field(default_factory=list)  # refresh tokens
    faults: list[str] = field(default_factory=list)  # requests that the documents do not allow
    slow: float = 0.0  # seconds until an answer
    before_answer: Callable[[], None] = _nothing  # the token is issued already

    @property
    def app(self) -> Starlette:
        routes = [
            Route(self.dialect.path, self._token, methods=["POST"]),
            Route("/api", self._api, methods=["POST"]),
        ]
        return Starlette(routes=routes)

    @property
    def access(self) -> str:
        """The access token that is valid now."""
        return f"an-access-token-{self.issued}"

    @property
    def refresh(self) -> str:
        """The refresh token that is valid now."""
        return f"a-refresh-token-{self.issued if self.dialect.rotates else 1}"

    async def _token(self, request: Request) -> Response:
        given = await self._given(request)
        wanted: dict[str, str] = {"code": CODE, "redirect_uri": REDIRECT}
        if given.get("grant_type") == "refresh_token":
            wanted = {"refresh_token": self.refresh}
            if self.dialect.kind == "amocrm":
                wanted["redirect_uri"] = REDIRECT
            if self._is_used(given.get("refresh_token", "")):
                return self._refused()
            wanted["refresh_token"] = given.get("refresh_token", "")
        elif self.issued or given.get("code") != CODE:
            return self._refused()

        known = {**CLIENT, "grant_type": given.get("grant_type"), **wanted}
        if given != known:
            self.faults.append(f"asked with {given}")
        self.issued += 1
        self.before_answer()
        await asyncio.sleep(self.slow)
        answer = {"access_token": self.access, "expires_in": self.lasts, "token_type": "Bearer"}
        return JSONResponse({**answer, "refresh_token": self.refresh, **dict(self.dialect.more)})

    def _is_used(self, token: str) -> bool:
        former = f"a-refresh-token-{self.issued - 1}"
        if self.revoked or token == self.refresh or (self.forgiving and token == former):
            return self.revoked
        self.used_twice.append(token)
        return True

    def _refused(self) -> Response:
        status, body = self.dialect.refusal
        return JSONResponse(body, status)

    async def _given(self, request: Request) -> dict[str, str]:
        body = (await request.body()).decode()
        if self.dialect.body == "json":
            return dict(json.loads(body))
        given = dict(parse_qsl(body))
        if self.dialect.body == "basic":
            pair = request.headers.get("authorization", "").removeprefix("Basic ")
            app, _, secret = base64.b64decode(pair).decode().partition(":")
            given |= {"client_id": app, "client_secret": secret}
        return given

    async def _api(self, request: Request) -> Response:
        body = await request.json()
        token = request.headers.get("authorization", "")
        wanted = f"{self.dialect.scheme} {self.access}"
        if not self.dialect.scheme:
            token, wanted = body.get("auth", ""), self.access
        if token != wanted:
            return JSONResponse({"error": "expired_token"}, 401)
        return JSONResponse({"said": f"hello {token.split()[-1]}", "given": body.get("given")})
