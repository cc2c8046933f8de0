"""The house keeps to its limits, and what measures it sees what is wrong."""

import importlib.util
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"

spec = importlib.util.spec_from_file_location("measure_house", DOCS / "measure.py")
house = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = house
spec.loader.exec_module(house)

MEASURES = {measure.name: measure for measure in house.measure()}


@pytest.mark.parametrize("name", MEASURES)
def test_a_limit_is_kept(name):
    assert MEASURES[name].is_kept, str(MEASURES[name])


def test_what_is_read_is_what_the_lists_of_the_section_name():
    readme = "## Read it\n\n1. `docs/arrows.py`\n\n| more | `docs/none.py` |\n\n## On\n`docs/no.py`\n"
    assert house.read_paths(readme, house.SECTION) == [DOCS / "arrows.py"]


def test_a_path_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match=r"names docs/gone\.py"):
        house.read_paths("## Read it\n\n1. `docs/gone.py`\n", house.SECTION)


def test_the_short_path_ends_where_the_next_heading_begins():
    readme = f"## Read it\n{house.SHORT_PATH}\n1. `docs/arrows.py`\n### More\n2. `docs/measure.py`\n## On\n"
    assert house.read_paths(readme, house.SHORT_PATH) == [DOCS / "arrows.py"]
    assert house.read_paths(readme, house.SECTION) == [DOCS / "arrows.py", DOCS / "measure.py"]


def test_the_lengths_of_all_files_that_somebody_writes_are_measured(tmp_path):
    for name in ("sandbox/a.py", "tests/b.py", "include/c.sql", "docs/d.md", ".venv/e.py", "build/f.sql"):
        path = tmp_path / name
        path.parent.mkdir()
        path.touch()
    names = [str(file.relative_to(tmp_path)) for file in house.written_files(tmp_path)]
    assert names == ["include/c.sql", "sandbox/a.py", "tests/b.py"]


def write(folder, **files):
    """Write modules; two underscores stand for the folder's end."""
    for name, text in files.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.with_name("__init__.py").touch()
        path.write_text(text)


def test_an_arrow_that_points_up_is_found(tmp_path):
    package = tmp_path / "house"
    package.mkdir()
    write(package, stage__job="x = 1", operators__a="from house.stage.job import x\nfrom house import text")
    write(package, text="from house.stage import job", s3__b="import house.warehouse.c", warehouse__c="y = 1")
    _, rooms = house.find_arrows(package)
    assert rooms == {"operators": {"stage", "text"}, "s3": {"warehouse"}, "text": {"stage"}}
    assert house.arrows_up(rooms) == ["text imports stage"]
    assert house.find_rooms(package) == ["operators", "s3", "stage", "text", "warehouse"]


def test_a_circle_is_found_between_rooms_and_between_modules(tmp_path):
    package = tmp_path / "house"
    package.mkdir()
    write(
        package,
        a__one="from house.b.one import x",
        b__one="y = 1",
        b__two="from house.a import two",
        a__two="",
    )
    modules, rooms = house.find_arrows(package)
    assert house.find_circle(modules) == []
    assert house.find_circle(rooms) in (["a imports b imports a"], ["b imports a imports b"])
    write(package, b__one="from house.a.one import z")
    assert house.find_circle(house.find_arrows(package)[0])


def test_an_import_of_a_package_beside_is_found(tmp_path):
    package = tmp_path / "house"
    package.mkdir()
    write(package, a__one="from garden.tree import leaf", a__two="import gardening", a__three="import garden")
    assert list(house.find_imports_of("garden", package)) == [
        "a/one.py imports garden.tree.leaf",
        "a/three.py imports garden",
    ]


def test_equal_runs_of_lines_are_found_once_whatever_their_indentation(tmp_path):
    run = [f"name_{n} = {n}" for n in range(8)]
    (tmp_path / "a.py").write_text("\n".join([*run, "left = 1"]))
    indented = "\n".join(f"    # why\n    {line}\n" for line in run)
    (tmp_path / "b.py").write_text(f"def f():\n{indented}")
    (tmp_path / "c.py").write_text("\n".join(run[:5]))
    assert house.find_duplicates(sorted(tmp_path.iterdir()), tmp_path) == ["a.py:1 and b.py:3: name_0 = 0"]


def test_imports_docstrings_and_brackets_are_no_duplicates(tmp_path):
    text = '"""One\ntwo\nthree\nfour."""\nfrom a import (\n    b,\n    c,\n    d,\n)\n\nx = [\n]\n'
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(text)
    assert house.find_duplicates(sorted(tmp_path.iterdir()), tmp_path) == []


def test_the_lines_of_a_function_are_those_of_its_body(tmp_path):
    file = house.ROOT / "docs" / "duplicates.py"
    lengths = dict(house.function_lengths(file))
    assert next(length for name, length in lengths.items() if name.endswith(" _is_left_out")) == 2
    assert next(length for name, length in lengths.items() if name.endswith(" find_duplicates")) == 5
