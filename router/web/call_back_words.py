"""Labels of calls back. Messages are marked here and translated where they are shown."""

from router.domain.calls.call_back import CallBack, CallBackResult, CallBackState
from router.web.words import N_

STATES = {
    CallBackState.ASKED: N_("The call back begins…"),
    CallBackState.RINGING: N_("Ringing the phone: pick it up"),
    CallBackState.CALLING: N_("Calling the customer"),
    CallBackState.TALKING: N_("Talking with the customer"),
}
RESULTS = {
    CallBackResult.TALKED: N_("Talked with the customer"),
    CallBackResult.NOT_ANSWERED: N_("The customer did not answer"),
    CallBackResult.BUSY: N_("The customer is busy"),
    CallBackResult.DECLINED: N_("The customer declined the call"),
    CallBackResult.UNREACHABLE: N_("The trunk did not connect the call"),
    CallBackResult.HUNG_UP: N_("Hung up before the customer answered"),
    CallBackResult.PHONE_NOT_ANSWERED: N_("The employee's phone was not picked up"),
    CallBackResult.PHONE_BUSY: N_("The employee's phone is busy"),
    CallBackResult.PHONE_DECLINED: N_("The employee's phone declined the call"),
    CallBackResult.PHONE_UNREACHABLE: N_(
        "The employee's phone cannot be reached: is it switched on and registered?"
    ),
    CallBackResult.NOT_ALLOWED: N_("The call back is not allowed any more"),
    CallBackResult.NOT_STARTED: N_("Asterisk did not begin the call: tell the administrator"),
    CallBackResult.LOST: N_("How the call back ended is not known"),
}
_GOOD = {CallBackResult.TALKED}


def sentence(back: CallBack) -> str:
    """How far a call back is, to be translated."""
    if back.result:
        return RESULTS[back.result]
    return STATES.get(back.state, "")


def tone(back: CallBack) -> str:
    """The colour of that: live, good or bad."""
    if back.state is not CallBackState.ENDED:
        return "live"
    if back.result in _GOOD:
        return "good"
    return "bad"
