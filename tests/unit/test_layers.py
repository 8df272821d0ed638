"""The contracts of `[tool.importlinter]` fail when a forbidden import is planted, in every
package.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import grimp
import pytest
from importlinter.application.use_cases import read_user_options
from importlinter.configuration import configure
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.domain.contract import Contract

configure()
ROOT = Path(__file__).parents[2]
SESSION = read_user_options(str(ROOT / "pyproject.toml"))
OPTIONS = SESSION.contracts_options
FORBIDDEN = [options for options in OPTIONS if options["type"] == "forbidden"]
LAYERED = next(options for options in OPTIONS if options["type"] == "layers")
LAYERS = [[name.strip() for name in floor.split("|")] for floor in LAYERED["layers"]]

# Who may import which library. Every other package is a source of the library's contract.
MAY_IMPORT = {
    "sqlalchemy": {"router.store"},
    "alembic": {"router.store"},
    "panoramisk": {"router.asterisk"},
    "fastapi": {"router.web", "router.demo"},
    "starlette": {"router.web", "router.demo"},
    "httpx": {"router.receivers", "router.cli", "router.demo"},
    "pydub": {"recordings"},
    "obstore": {"recordings"},
    "pyVoIP": {"router.phone"},
    "imapclient": {"router.imap"},
    "xlsxwriter": {"router.exports"},
    "faster_whisper": {"router.speech"},
    "snowballstemmer": {"router.domain"},
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom, as the packages are."""
    return grimp.build_graph("router", "recordings", include_external_packages=True, cache_dir=None)


@contextmanager
def planted(graph: grimp.ImportGraph, importer: str, imported: str) -> Iterator[grimp.ImportGraph]:
    """The graph with one import more."""
    known = imported in graph.modules
    if not known:
        graph.add_module(imported, is_squashed=True)
    graph.add_import(
        importer=importer, imported=imported, line_number=1, line_contents=f"import {imported}"
    )
    try:
        yield graph
    finally:
        graph.remove_import(importer=importer, imported=imported)
        if not known:
            graph.remove_module(imported)


def contract(kind: type[Contract], options: dict[str, object]) -> Contract:
    """The contract of these options."""
    names = ("type", "name", "id")
    own = {key: value for key, value in options.items() if key not in names}
    return kind(str(options["name"]), SESSION.session_options, own)


def deepest(graph: grimp.ImportGraph, package: str) -> str:
    """A module well inside the package: contracts hold for it, too."""
    return max(
        {package, *graph.find_descendants(package)}, key=lambda name: (name.count("."), name)
    )


@pytest.mark.parametrize("options", FORBIDDEN, ids=lambda options: options["name"])
def test_a_forbidden_import_breaks_its_contract_in_every_package(
    options: dict[str, list[str]], graph: grimp.ImportGraph
) -> None:
    checked = contract(ForbiddenContract, dict(options))
    for source in options["source_modules"]:
        for library in options["forbidden_modules"]:
            with planted(graph, deepest(graph, source), library) as changed:
                assert not checked.check(changed, verbose=False).kept, (
                    f"{source} may import {library}"
                )
    assert checked.check(graph, verbose=False).kept


@pytest.mark.parametrize("library", MAY_IMPORT)
def test_a_library_is_forbidden_to_every_other_package(
    library: str, graph: grimp.ImportGraph
) -> None:
    packages = {"recordings", *graph.find_children("router")}
    contracts = [options for options in FORBIDDEN if library in options["forbidden_modules"]]
    sources = {name for options in contracts for name in options["source_modules"]}
    free = {name for name in packages if not sources & {name, name.partition(".")[0]}}
    assert free == MAY_IMPORT[library], (
        "a new package belongs to source_modules of each contract in pyproject.toml"
    )


def test_every_library_of_a_contract_is_known_here() -> None:
    libraries = {name for options in FORBIDDEN for name in options["forbidden_modules"]} - {
        "router"
    }
    assert libraries == set(MAY_IMPORT)


def test_every_package_has_its_floor(graph: grimp.ImportGraph) -> None:
    assert {name for floor in LAYERS for name in floor} == graph.find_children("router")


def upward() -> list[tuple[str, str]]:
    """Imports that go up one floor, or sideways among adapters."""
    up = [(below, above) for high, low in pairwise(LAYERS) for below in low for above in high]
    sideways = [pair for floor in LAYERS for pair in pairwise([*floor, floor[0]]) if len(floor) > 1]
    return up + sideways


@pytest.mark.parametrize(("importer", "imported"), upward())
def test_an_import_upwards_or_sideways_breaks_the_layers(
    importer: str, imported: str, graph: grimp.ImportGraph
) -> None:
    checked = contract(LayersContract, LAYERED)
    with planted(graph, deepest(graph, importer), deepest(graph, imported)) as changed:
        assert not checked.check(changed, verbose=False).kept
