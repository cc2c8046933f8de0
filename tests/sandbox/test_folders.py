"""Which folder of the sandbox may know which: arrows point down, in no circle."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sandbox

ROOT = Path(sandbox.__file__).parent
# From the top to the ground; a module may import from its own line and from those below it.
FLOORS = (
    {"__main__", "testing"},
    {"commands"},
    {"demo"},
    {"lifecycle"},
    {"airflow"},
    {"aws", "redshift"},
    {"parts"},
    {"terminal"},
    {"errors"},
)
REDSHIFT_FLOORS = (
    {"__main__"},
    {"relay"},
    {"dialect"},
    {"unload"},
    {"copy"},
    {"catalog", "sql", "transfer_log"},
    {"error_fields"},
)


def imported(file: Path) -> Iterator[tuple[str, ...]]:
    """The modules of this repository that a file imports, as the words of their names."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from ((*str(node.module).split("."), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)


@pytest.mark.parametrize(
    ("package", "floors"), [(("sandbox",), FLOORS), (("sandbox", "redshift"), REDSHIFT_FLOORS)]
)
def test_a_module_imports_only_from_its_own_folder_and_those_below(package, floors):
    folder = ROOT.joinpath(*package[1:])
    floor_of = {name: number for number, names in enumerate(floors) for name in names}
    wrong = []
    for file in folder.rglob("*.py"):
        own = file.relative_to(folder).parts[0].removesuffix(".py")
        for words in imported(file):
            if own == "__init__" or words[: len(package)] != package:
                continue
            other = words[len(package)]
            is_below = floor_of[other] > floor_of[own] or other == own
            wrong += [] if is_below else [f"{file.relative_to(folder)} imports {'.'.join(words)}"]
    assert wrong == []


def test_the_sandbox_knows_nothing_of_the_pipeline():
    files = ROOT.rglob("*.py")
    assert [file for file in files for words in imported(file) if words[0] in {"sparkify", "dags"}] == []
