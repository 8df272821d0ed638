"""Labels of the live board. Messages are marked here and translated where they are shown."""

from router.domain.calls.board import Doubt, Down
from router.web.words import N_

DOUBTS = {
    Doubt.TOO_OLD: N_("longer than any call: probably over"),
    Doubt.ASTERISK_GONE: N_("its Asterisk does not answer: probably over"),
}
DOWN = {Down.ALL: N_("down"), Down.PARTLY: N_("partly down")}
LINES = {
    "not_loaded": N_("not loaded"),
    "not_registered": N_("not registered"),
    "no_phone": N_("no phone is registered"),
    "unreachable": N_("does not answer"),
}
