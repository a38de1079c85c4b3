"""The import rule: every module may lean on those below it, never on those above or beside."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "watchbook"


@dataclass(frozen=True)
class Layer:
    """Modules of one kind (a package's name stands for all inside) and what they may lean on."""

    name: str
    modules: tuple[str, ...]
    below: tuple[str, ...]


LAYERS = (
    # What everything may use; it knows nothing else.
    Layer(
        "base",
        (
            "clock",
            "errors",
            "files",
            "logs",
            "pkce",
            "redaction",
            "seal",
            "settings",
            "steps",
            "urls",
            "values",
            "waits",
        ),
        (),
    ),
    # The only way out of the machine.
    Layer("wire", ("addresses", "exchange", "http", "remarks", "transport"), ("base",)),
    # How Trakt, its exports and websites speak; no database, no idea of what that is wanted for.
    Layer("protocols", ("exports", "indieauth", "micropub", "tmdb", "trakt"), ("base", "wire")),
    # What is kept, and nothing about where it came from.
    Layer("store", ("store",), ("base",)),
    # From the sources into the store, and from the store out.
    Layer(
        "services",
        (
            "archive",
            "checkup",
            "connecting",
            "desk",
            "environment",
            "exporting",
            "freshness",
            "grants",
            "history",
            "importing",
            "ingest",
            "intake",
            "nameless",
            "richer",
            "offsite",
            "outlook",
            "overview",
            "pictures",
            "publish",
            "reconcile",
            "render",
            "sharing",
            "shelves",
            "showing",
            "statistics",
            "sync",
            "titles",
            "upcoming",
            "verdict",
            "watching",
            "windows",
        ),
        ("base", "wire", "protocols", "store"),
    ),
    # Stand-ins for other people's servers; a copy of our own ideas would prove nothing.
    Layer("sandbox", ("sandbox",), ()),
    # What answers over HTTP.
    Layer("web", ("web",), ("base", "wire", "protocols", "store", "services")),
    # What runs when, and the service that is all of it.
    Layer("jobs", ("jobs",), ("base", "wire", "protocols", "store", "services", "web")),
    # The doors. The demo and a command of its own start the sandbox.
    Layer(
        "doors",
        ("cli", "__main__"),
        ("base", "wire", "protocols", "store", "services", "web", "jobs", "sandbox"),
    ),
)

OF_MODULE = {module: layer for layer in LAYERS for module in layer.modules}


def module_of(path: Path) -> str:
    """The dotted name of a source file inside the package, ``""`` for the package itself."""
    parts = list(path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources() -> dict[str, ast.Module]:
    """Every module of the package, parsed."""
    return {module_of(path): ast.parse(path.read_bytes()) for path in SOURCE.rglob("*.py")}


def named_in(node: ast.AST) -> Iterator[str]:
    """What an import statement may bind: a module, or a name of a module."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """What a program may come by: all but the blocks that only type checkers read."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from executed(child)


def imports(nodes: Iterable[ast.AST], known: Mapping[str, ast.Module]) -> set[str]:
    """The modules of ours that are imported somewhere among ``nodes``."""
    found = set()
    for node in nodes:
        for name in named_in(node):
            head, _, inner = name.partition(".")
            if head == "watchbook":
                found.add(inner if inner in known else inner.rpartition(".")[0])
    return found - {""}


TREE = sources()
IMPORTS = {name: imports(ast.walk(tree), TREE) for name, tree in TREE.items()}
"""Those for type annotations too: they also say who knows whom."""


def top(module: str) -> str:
    """The part of a name by which it is found in the layers."""
    return module.partition(".")[0]


def test_every_module_has_a_layer() -> None:
    """A new module is put into a layer, and no layer names one that is gone."""
    assert {top(module) for module in TREE} - {""} == set(OF_MODULE)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_a_layer_leans_only_on_those_below(layer: Layer) -> None:
    """No import points upwards or sideways, not even one inside a function."""
    allowed = {*layer.below, layer.name}
    wrong = [
        f"{module} -> {wanted}"
        for module, all_wanted in sorted(IMPORTS.items())
        for wanted in sorted(all_wanted)
        if module and OF_MODULE[top(module)] is layer
        if OF_MODULE[top(wanted)].name not in allowed
    ]
    assert wrong == []


def test_no_module_imports_itself_in_a_circle() -> None:
    """There are no import cycles, those through imports inside functions included."""
    graph = {name: imports(executed(tree), TREE) for name, tree in TREE.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as reason:
        pytest.fail(f"a circle: {' -> '.join(reason.args[1])}")


def test_protocols_do_not_know_each_other() -> None:
    """How one server speaks is nothing that speaking with another hangs on."""
    protocols = next(layer.modules for layer in LAYERS if layer.name == "protocols")
    sideways = [
        f"{module} -> {wanted}"
        for module, all_wanted in sorted(IMPORTS.items())
        for wanted in sorted(all_wanted)
        if {top(module), top(wanted)} <= set(protocols) and top(module) != top(wanted)
    ]
    assert sideways == []


def test_commands_do_not_lean_on_the_command_line_itself() -> None:
    """A command knows its context, never the table of commands that loads it."""
    allowed = {"cli.main", "__main__"}
    assert [m for m, wanted in IMPORTS.items() if "cli.main" in wanted and m not in allowed] == []


def test_relative_imports_are_not_used() -> None:
    """Every import names its module in full, which is what the tests above can read."""
    relative = [
        module
        for module, tree in TREE.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []


def test_the_rule_would_notice() -> None:
    """An import upwards is seen wherever it stands."""
    tree = ast.parse("def f():\n    from watchbook.store import plays\n    import watchbook.sync\n")
    assert imports(executed(tree), TREE) == {"store.plays", "sync"}


def test_only_type_checkers_blocks_are_passed_over() -> None:
    """An import under TYPE_CHECKING closes no circle; one beside it does."""
    tree = ast.parse(
        "if TYPE_CHECKING:\n    from watchbook.sync import Sync\nimport watchbook.clock\n"
    )
    assert imports(executed(tree), TREE) == {"clock"}
    assert imports(ast.walk(tree), TREE) == {"clock", "sync"}
