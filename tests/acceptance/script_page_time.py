"""A page whose time passes only where the test says so."""

from tests.acceptance.script_visitor import Visitor

OURS = "8 495 777-00-01"
COUNTING = """window.asking = 0; const {send} = XMLHttpRequest.prototype;
XMLHttpRequest.prototype.send = function (said) {
  window.asking++;
  this.addEventListener("loadend", () => window.asking--);
  return send.call(this, said);
}"""


async def opens(visitor: Visitor, shown: str = OURS) -> None:
    """A page with a number, whose clock does not move."""
    await visitor.page.clock.install()
    await visitor.page.add_init_script(COUNTING)
    await visitor.opens("<p>8 495 123-45-67</p><a href='tel:84951234567'>☎</a>")
    await visitor.shows(shown, "p")
    await visitor.page.clock.pause_at(await visitor.page.evaluate("Date.now() / 1000 + 1"))


async def passes(visitor: Visitor, seconds: int, step: int = 1) -> None:
    """Let the time pass, and every request be answered before more of it passes."""
    for _ in range(seconds // step):
        await visitor.page.clock.run_for(step * 1000)
        await visitor.until("window.asking === 0")
