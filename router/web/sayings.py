"""What came of a delivery, and what is odd about a recording, in the reader's language.

It is kept as the sentence that was said when it happened, in English, as the command line and the
API show it. Pages know our own sentences again and translate them; what a server said stays as the
server said it.
"""

import re
from collections.abc import Callable

from router.domain.delivery.entity import EntityKind
from router.web.words import ENTITY_KINDS, N_

SAYINGS = (
    N_("created %(entities)s"),
    N_("%(entities)s: by an earlier attempt"),
    N_("a note on %(entities)s"),
    N_("%(entities)s has the client ID in %(field)s"),
    N_("%(entities)s has the client ID already, by an earlier call"),
    N_("%(entities)s: no client ID is known"),
    N_("%(entities)s kept %(value)s, which another put there"),
    N_("%(entities)s did not keep the client ID: is '%(field)s' a field of its own and writable?"),
    N_("%(entities)s was chosen, and was refused: %(said)s"),
    N_("%(entities)s is gone from the CRM"),
    N_("%(entities)s without %(field)s: %(said)s"),
    N_("%(entities)s did not let go of the client ID in '%(field)s': empty the field by hand"),
    N_("nothing: the visitor is not known, so there is no client ID to write"),
    N_("nothing: the caller is on the list of those nobody is told of"),
    N_("nothing: talked for %(seconds)s s only, spam by rule"),
    N_("nothing: nobody answered, and missed calls of unknown callers are skipped by rule"),
    N_("the telephony has created nothing for this call yet"),
    N_("several entities are equally likely"),
    N_("no entity appeared within %(seconds)s s"),
    N_(
        "no entity appeared within %(seconds)s s but %(entities)s, which Ringtrace's own user "
        "created:"
        " give Ringtrace a user of its own in the CRM"
    ),
    N_("nothing to send"),
    N_("nothing: the visitor is no longer known"),
    N_("told without a session: the session of %(moment)s UTC takes events for 24 h only"),
    N_("request %(id)s: %(count)s conversions"),
    N_("Google has not said yet what came of it"),
    N_("Google never said what came of it"),
    N_("Google took it and could not use it: %(said)s"),
    N_("used by Google"),
    N_("left out by rule"),
    N_("left out: the visitor is no longer known"),
    N_("record %(place)s"),
    N_("Google could not use it yet: %(said)s"),
    N_("Google could not use some of them yet: %(said)s"),
    N_("used by Google but for some that it does not name: %(said)s"),
    N_("counted by Google before: %(said)s"),
    N_("bound to no visit by Metrica"),
    N_("bound to visits by Metrica, but not all"),
    N_("%(count)s of %(all)s lines: Metrica knows no such visitor"),
    N_(
        "%(count)s of %(all)s lines: the goal is not in the counter: `ringtrace crm connect` "
        "creates it"
    ),
    N_("%(count)s of %(all)s lines: failed Metrica's validation"),
    N_("too late: Ringtrace tried until %(moment)s UTC, %(days)s days; it can be sent again"),
    N_("Metrica has not said yet what came of it"),
    N_("Metrica never said what came of it"),
    N_("bound to visits by Metrica"),
    N_("upload %(id)s: %(count)s lines, of which %(passed)s passed"),
    N_("upload %(id)s: %(count)s lines"),
    N_("%(count)s uploaded by an earlier attempt"),
    N_("the visitor's %(column)s is '%(value)s', and Metrica's are numbers"),
    N_("no whole answer within %(seconds)s s"),
    N_("not done within %(seconds)s s"),
    N_("%(where)s: ConnectError: %(said)s"),
    N_("ConnectError: %(said)s"),
    N_("the token is refused or lacks a right: %(said)s"),
    N_("'%(receiver)s' has no token: run `%(command)s`"),
    N_("our secrets cannot be read: %(said)s"),
    N_("our own database does not answer: %(said)s"),
    N_("the payload of this delivery cannot be read: %(said)s"),
    N_("what the receiver answered cannot be kept: %(said)s"),
    N_("the receiver '%(receiver)s' was removed or switched off"),
    N_("the connection '%(receiver)s' was removed"),
    N_("the receiver '%(receiver)s' is told of another site's calls by now"),
    N_("too late: %(kind)s takes this until %(moment)s UTC"),
    N_("a fault of Ringtrace: %(said)s"),
    N_("the caller's side was not recorded"),
    N_("the company's side was not recorded"),
    N_("no speech on the caller's side"),
    N_("no speech on the company's side"),
    N_("no sound on the caller's side from %(moment)s to the end"),
    N_("no sound on the company's side from %(moment)s to the end"),
    N_("a side ends in the middle of a sample"),
    N_("the sides differ in length by more than a second"),
    N_("longer than the talk time"),
    N_("less than half of the talk time"),
    N_("a side is overdriven"),
)
_KIND = f"(?:{'|'.join(EntityKind)})"
# a server's words may go on and on
_VALUES = {
    "entities": rf"{_KIND} [^;,]+?(?:, {_KIND} [^;,]+?)*",
    "said": ".+",
}


def _pattern(saying: str) -> re.Pattern[str]:
    parts = re.split(r"%\((\w+)\)s", saying)
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = [f"(?P<{name}>{_VALUES.get(name, '[^;]+?')})" for name in parts[1::2]]
    return re.compile("".join(parts), re.DOTALL)


_PATTERNS = {saying: _pattern(saying) for saying in SAYINGS}


def retell(text: str, gettext: Callable[[str], str]) -> str:
    """What was said, each sentence that is ours in the reader's language."""
    whole = _retold(text, gettext)
    return (
        whole
        if whole is not None
        else "; ".join(_retold(part, gettext) or part for part in text.split("; "))
    )


def _retold(text: str, gettext: Callable[[str], str]) -> str | None:
    for saying, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(text):
            values = found.groupdict()
            if "entities" in values:
                values["entities"] = re.sub(
                    rf"\b{_KIND}(?= )", lambda kind: _called(kind[0], gettext), values["entities"]
                )
            return gettext(saying) % values
    return None


def _called(kind: str, gettext: Callable[[str], str]) -> str:
    return gettext(ENTITY_KINDS[EntityKind(kind)]).lower()
