"""What is easily written twice is written once: each of these has one place."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [*(ROOT / "router").rglob("*.py"), *(ROOT / "recordings").rglob("*.py")]
# a pattern of source text, and the files that may hold it
ONCE = {
    # a pause that grows: `backoff`
    r"random\.(uniform|random)\(|\b2 \*\* min\(|pause \* 2\b": {"router/domain/backoff.py"},
    # what can be seen, on one line: `one_line`
    r"isprintable\(\) else": {"router/domain/text.py"},
    # what no database keeps: `storable`; a search forgets such letters
    r"\\ud800-\\udfff": {"router/domain/text.py", "router/domain/calls/search.py"},
    # ids of records: `new_id`; calls of SIP have ids of their own, and doctor's probe has one
    r"uuid\.uuid": {"router/phone/pyvoip.py", "router/cli/doctor/storage.py"},
    # a file that readers see whole: `write_whole`
    r"os\.O_EXCL|os\.replace\(|temporary\.replace\(": {"router/atomic_file.py"},
    r"Callable\[\[\], datetime\]": {"router/service/clock.py"},
}


@pytest.mark.parametrize("pattern", ONCE)
def test_it_is_in_its_own_place_alone(pattern: str) -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if "node_modules" not in path.parts and re.search(pattern, path.read_text())
    }
    assert found == ONCE[pattern]
