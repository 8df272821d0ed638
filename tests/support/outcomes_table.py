"""Writes docs/outcomes.md from the codes of outcomes: `python -m tests.support.outcomes_table`
(`make outcomes`).
"""

import re
from pathlib import Path

from router.domain.delivery.codes import Code
from router.domain.delivery.outcome import CODES

PAGE = Path(__file__).parents[2] / "docs/outcomes.md"

HEAD = """# Outcomes

What came of a delivery (`receipt`, `last_error`), why a receiver fails (`reason`), what is odd about a recording
(`warnings`) and why there is none (`reason`), why a mailbox
cannot be read (`error`), and what a check of a connection finds (`what`, `fix`) is an outcome. The API and `--json` give it as an object; webhooks give `reason` in the same form:

```json
{
  "code": "field_left_out",
  "params": {
    "entity": {"kind": "deal", "id": "7"},
    "field": "source",
    "reason": {"code": "refused", "params": {"status": 400, "detail": "no such option"}}
  },
  "text": "deal 7 without source: 400 no such option",
  "also": []
}
```

`code` keeps its meaning. `text` is the English sentence; pages show it in the reader's language. `detail` is always
what the other system said, unchanged, on one line and at most 500 characters. `entity` is a record of the CRM, `reason`
an outcome of its own, and `also` lists further outcomes, in the same form.

`make outcomes` writes this page from the code.

| code | sentence |
|---|---|
"""  # noqa: E501


def page() -> str:
    """The whole page."""
    return HEAD + "\n".join(_row(code) for code in CODES.values()) + "\n"


def _row(code: Code) -> str:
    sentence = re.sub(r"%\((\w+)\)s", r"*\1*", code.template).replace("|", "\\|")
    return f"| `{code}` | {sentence} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
