"""Which room of a package imports which: the order of floors, arrows that point up, circles."""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

# From the roof down. A room imports from floors below its own, and from its own as long as no circle comes of
# it. What is not named stands on the ground.
FLOORS = (("operators",), ("stage", "star", "checks", "cluster"), ("s3",), ("warehouse",))

Arrows = Mapping[str, set[str]]


def find_rooms(package: Path) -> list[str]:
    """Return the packages and modules at the top level of a package."""
    return sorted(
        path.stem
        for path in package.iterdir()
        if path.stem != "__init__" and (path.suffix == ".py" or (path / "__init__.py").exists())
    )


def find_arrows(package: Path) -> tuple[Arrows, Arrows]:
    """Return what imports what inside a package: its modules, and its rooms."""
    modules, rooms = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for file in sorted(package.rglob("*.py")):
        module = ".".join(file.relative_to(package).with_suffix("").parts)
        for name in _imports(file, package):
            modules[module].add(name)
            room, other = module.split(".")[0], name.split(".")[0]
            if room not in (other, "__init__"):
                rooms[room].add(other)
    return modules, rooms


def find_imports_of(other: str, package: Path) -> Iterator[str]:
    """Yield the files of a package that import another one, as `file imports module`."""
    for file in sorted(package.rglob("*.py")):
        for name in _names(file):
            if name.split(".")[0] == other:
                yield f"{file.relative_to(package)} imports {name}"


def arrows_up(rooms: Arrows) -> list[str]:
    """Return the arrows that point to a higher floor."""
    return sorted(
        f"{room} imports {other}"
        for room, others in rooms.items()
        for other in others
        if _height(other) > _height(room)
    )


def find_circle(arrows: Arrows) -> list[str]:
    """Return a circle of imports, if there is one."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def _height(room: str) -> int:
    return next((len(FLOORS) - number for number, floor in enumerate(FLOORS) if room in floor), 0)


def _imports(file: Path, package: Path) -> Iterator[str]:
    """Yield the modules of the package that a file imports, as `room.module`."""
    for name in _names(file):
        if module := _module(name, package):
            yield module


def _names(file: Path) -> Iterator[str]:
    """Yield what a file imports, as dotted names."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _module(name: str, package: Path) -> str:
    """Return the module that a dotted name is or is in, by its name inside the package, or an empty text."""
    first, *parts = name.split(".")
    if first != package.name:
        return ""
    while parts and not package.joinpath(*parts).with_suffix(".py").exists():
        if package.joinpath(*parts, "__init__.py").exists():
            return ".".join([*parts, "__init__"])
        parts.pop()
    return ".".join(parts)
