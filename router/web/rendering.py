"""Turns templates into pages, in the reader's language and time zone."""

import hashlib
import re
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import (
    BytecodeCache,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    select_autoescape,
)
from jinja2.bccache import Bucket
from markupsafe import Markup, escape

from router.domain.access import Role
from router.domain.calls.score_card import VALUES
from router.domain.delivery.outcome import sentence
from router.domain.delivery.receiver_kind import ReceiverKinds
from router.domain.phone import display
from router.service.delivery.status import MOST_COUNTED
from router.web import filter_words, score_words, words
from router.web.formats import Formats, zone
from router.web.languages import LANGUAGES, Language, choose
from router.web.links import called, page_of
from router.web.problems import PROBLEM, PROBLEMS
from router.web.requests import query_of

_FIRST_TAG = re.compile(r"<[a-z]+[^>]*")
HERE = Path(__file__).parent
LANGUAGE_COOKIE = "ringtrace_language"
ZONE_COOKIE = "ringtrace_zone"  # written by our script


class Pages:
    """Every template, once per language."""

    def __init__(self, kinds: ReceiverKinds, *, demo: bool = False) -> None:
        self._demo = demo
        self._environments = {
            code: environment_of(language, kinds) for code, language in LANGUAGES.items()
        }

    def render(
        self, request: Request, template: str, *, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """A page for the reader of this request."""
        html = self.text(request, template, **values)
        return HTMLResponse(html, status_code=status, headers={"Vary": "Accept-Language, Cookie"})

    def text(self, request: Request, template: str, **values: Any) -> str:
        """A part of a page, for an answer or a server-sent event."""
        language = language_of(request)
        formats = formats_of(request)
        speech = speech_of(request)
        context = {
            "request": request,
            "here": request.url.path + query_of(request),
            "language": language,
            "fmt": formats,
            "say": speech,
            "sentence": partial(sentence, gettext=language.messages.gettext, moment=formats.moment),
            "person": None,
            "demo": self._demo,
        }
        return (
            self._environments[language.code].get_template(template).render({**context, **values})
        )

    def problem(
        self, request: Request, word: str, *, status: int, headers: dict[str, str]
    ) -> HTMLResponse:
        """A page, or a notice for htmx, that says what went wrong."""
        part = bool(request.headers.get("hx-request"))
        sentence = PROBLEMS.get(word, PROBLEM)
        template = "problem.html"
        if part:
            template = "notice.html"

        answer = self.render(request, template, status=status, sentence=sentence)
        answer.headers.update(headers)
        if part:
            # Whatever the form would have taken out of an answer, this is to be shown.
            answer.headers.update(
                {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML", "HX-Reselect": ".notice"}
            )
        return answer


def language_of(request: Request) -> Language:
    """The reader's language."""
    return choose(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))


def formats_of(request: Request) -> Formats:
    """The reader's formats, by their browser's time zone."""
    return Formats(
        locale=language_of(request).locale,
        zone=zone(request.cookies.get(ZONE_COOKIE)),
        now=request.app.state.app_state.web.clock(),
    )


def speech_of(request: Request) -> words.Speech:
    """The reader's words."""
    gettext = language_of(request).messages.gettext
    return words.Speech(gettext=gettext, formats=formats_of(request))


class _Compiled(BytecodeCache):
    """Compiled templates, for all languages: to compile those of one page takes a second."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load what was compiled from the same source."""
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._code[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def environment_of(language: Language, kinds: ReceiverKinds) -> Environment:
    """The templates in this language."""
    environment = Environment(
        bytecode_cache=_COMPILED,
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["versioned"] = _versioned
    environment.policies["ext.i18n.trimmed"] = True
    _install_messages(environment, language)
    environment.globals.update(
        words=words,
        filter_words=filter_words,
        score_words=score_words,
        score_values=VALUES,
        languages=LANGUAGES.values(),
        Role=Role,
        static=_static,
        display=display,
        range_of=range,  # "range" is a macro of the list
    )
    environment.globals.update(
        called=partial(called, kinds, language.messages.gettext),
        page_of=partial(page_of, kinds),
        title_of=lambda connection: kinds.of(connection).title,
        most_counted=MOST_COUNTED,
    )
    return environment


def _install_messages(environment: Environment, language: Language) -> None:
    """Escape every message: Jinja takes it for HTML, and `_(variable)` may be any text.

    A message without variables is no format: the name of a tag may be "50 %" or "%(x)s".
    """
    messages = language.messages

    def gettext(message: str, **variables: Any) -> Markup:
        if not message:  # the catalogue has its own header there
            return Markup()
        text = escape(messages.gettext(message))
        if variables:
            return text % variables
        return text

    def ngettext(singular: str, plural: str, count: int) -> Markup:
        return escape(messages.ngettext(singular, plural, count))

    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.globals["gettext"] = gettext  # Jinja's own formats every message


def _versioned(part: str) -> Markup:
    """`part` with a digest of its HTML in its first tag.

    The page replaces a part only when the version differs: what changed may be an attribute, such
    as a link.
    """
    html = str(part)  # a Markup would escape the new attribute
    version = hashlib.sha256(html.encode()).hexdigest()[:12]
    return Markup(_FIRST_TAG.sub(rf'\g<0> data-version="{version}"', html, count=1))  # noqa: S704 (escaped already)


def _static(name: str) -> str:
    """The address of a bundled file; its digest lets browsers keep it until it changes."""
    path = HERE / "static" / name
    digest = "missing"
    if path.exists():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]

    return f"/static/{name}?{digest}"
