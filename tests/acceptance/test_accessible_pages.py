"""Every page of the desk by axe: wide and light in English, narrow and dark in Russian."""

import json
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.acceptance.supervisor import heard, log_in, looking
from tests.acceptance.whole_desk import whole_desk
from tests.support.web_world import World

pytestmark = pytest.mark.acceptance
pytest_plugins = ["tests.acceptance.supervisor"]
AXE = Path(__file__).parents[2] / "router/web/frontend/node_modules/axe-core/axe.min.js"
# without `preload` axe reads no style sheets, for which it would write one into the page
FINDINGS = """(async () => {
  const options = { resultTypes: ["violations"], preload: false };
  const rules = %s;
  const found = await axe.run(document, rules.length ? { ...options, runOnly: rules } : options);
  return found.violations.flatMap((rule) =>
    rule.nodes.map((node) => `${rule.id}: ${node.target} ${node.failureSummary}`));
})()"""
LOOKS: list[
    tuple[int, str, str, list[str]]
] = [  # and the rules that are tried, all if none is named
    (1200, "en-GB", "light", []),
    (390, "ru-RU", "dark", ["color-contrast"]),
]


@pytest.mark.parametrize(("width", "locale", "scheme", "rules"), LOOKS)
async def test_axe_finds_nothing_on_any_page(
    world: World,
    browser: Browser,
    sound: bytes,
    width: int,
    locale: str,
    scheme: str,
    rules: list[str],
) -> None:
    paths = await whole_desk(world, heard(world, sound))
    found: dict[str, list[str]] = {}
    async with looking(world, browser, width=width, locale=locale) as seen:
        await seen.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        found["login"] = await _findings(seen.page, rules)
        await log_in(seen, "root")
        for name, path in paths.items():
            await seen.page.goto(seen.address + path)
            found[name] = await _findings(seen.page, rules)
    assert [f"{name}: {finding}" for name in found for finding in found[name]] == []


async def _findings(page: Page, rules: list[str]) -> list[str]:
    """What axe finds, with every folded part unfolded; a part that is wider than the page, too."""
    await page.evaluate(
        "document.querySelectorAll('details').forEach((part) => (part.open = true))"
    )
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = await page.evaluate(FINDINGS % json.dumps(rules))
    beyond = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if beyond > 0:
        found.append(f"{beyond} points wider than the screen")
    return found
