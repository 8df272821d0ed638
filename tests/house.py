"""Prints the figures of the house: `python -m tests.house [--json]`.

Words of the dialect are counted in comments, docstrings, strings and documents; the list is the
words that the project's language has given up. Lower is better everywhere but for blank lines.
"""

import argparse
import ast
import io
import json
import re
import subprocess
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean

ROOT = Path(__file__).parents[1]
DIALECT = re.compile(
    r"\b(mend\w*|anew|heed\w*|whoever|nobody|somebody|suspects?|strays?|scribe|postman|couriers?|judged|judging"
    r"|fares?|shelved|shelving|told|stands?|ears?|learner|reception)\b",
    re.IGNORECASE,
)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
BRANCHES = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.ExceptHandler,
    ast.Assert,
    ast.IfExp,
    ast.comprehension,
    ast.match_case,
)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description="Prints the figures of the house.")
    parser.add_argument("--json", action="store_true", help="as JSON")
    figures = measure([path for path in files("*.py") if path.is_relative_to(ROOT / "router")])
    if parser.parse_args().json:
        print(json.dumps(figures, indent=1))
        return
    for name, value in figures.items():
        print(f"{name:44} {value}")


def files(pattern: str) -> list[Path]:
    """Files that git knows."""
    listed = subprocess.run(
        ["git", "ls-files", pattern], cwd=ROOT, text=True, capture_output=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.exists()]


def measure(sources: list[Path]) -> dict[str, object]:
    """Every figure, by its name."""
    texts = [path.read_text(encoding="utf-8") for path in sources]
    code = [line for text in texts for line in code_lines(text)]
    trees = [ast.parse(text) for text in texts]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    complexities = [complexity(node) for node in nodes if isinstance(node, FUNCTIONS)]
    folders = Counter(str(path.parent.relative_to(ROOT)) for path in sources)
    prose = [*texts, *(path.read_text(encoding="utf-8") for path in files("*.md"))]
    return {
        "files": len(sources),
        "lines of code": len(code),
        "files in the fullest folders": dict(folders.most_common(5)),
        "letters a line of code": round(fmean(len(line.strip()) for line in code), 1),
        "lines of more than 100 letters": sum(len(line) > 100 for line in code),
        "comprehensions per 100 lines": per_hundred(nodes, COMPREHENSIONS, code),
        "conditional expressions per 100 lines": per_hundred(nodes, ast.IfExp, code),
        "mean complexity of functions": round(fmean(complexities), 2),
        "functions of complexity above 10": sum(value > 10 for value in complexities),
        "words of the dialect per 100,000 words": dialect(prose),
    }


def code_lines(text: str) -> Iterator[str]:
    """Lines that hold code: no blank ones, comments or docstrings."""
    lines = text.splitlines()
    marked = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        alone = token.type == tokenize.STRING and token.line.lstrip().startswith(('"""', "'''"))
        if token.string.strip() and token.type != tokenize.COMMENT and not alone:
            marked.update(range(token.start[0], token.end[0] + 1))
    return (lines[number - 1] for number in sorted(marked))


def complexity(function: ast.AST) -> int:
    """About McCabe's: one, and one more for each branch."""
    parts = list(ast.walk(function))
    operators = sum(len(part.values) - 1 for part in parts if isinstance(part, ast.BoolOp))
    return 1 + operators + sum(isinstance(part, BRANCHES) for part in parts)


def per_hundred(nodes: Iterable[ast.AST], kind: type | tuple[type, ...], code: list[str]) -> float:
    """How often nodes of this kind occur in a hundred lines of code."""
    return round(100 * sum(isinstance(node, kind) for node in nodes) / len(code), 2)


def dialect(texts: list[str]) -> int:
    """Words that the language of the project has given up, in 100,000."""
    words = sum(len(re.findall(r"[A-Za-z]+", text)) for text in texts)
    return round(100_000 * sum(len(DIALECT.findall(text)) for text in texts) / words)


if __name__ == "__main__":
    main()
