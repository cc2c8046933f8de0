"""Measure the house against its limits: `python docs/measure.py` (or `make measure`)."""

import ast
import re
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "docs")]

from arrows import arrows_up, find_arrows, find_circle, find_imports_of, find_rooms  # noqa: E402 - after the path
from duplicates import find_duplicates  # noqa: E402

PACKAGE = ROOT / "plugins" / "sparkify"
# What people see of it: it stands beside, and may use it.
BESIDE = ROOT / "plugins" / "sparkify_watch"
SECTION, SHORT_PATH = "## Read it", "### From S3 to the checks"
_LONGEST_FILE = 400


@dataclass(frozen=True)
class Measure:
    """One number, the most that it may be, and what it comes from where it is exceeded."""

    name: str
    value: float
    limit: float
    causes: Sequence[str] = ()

    @property
    def is_kept(self) -> bool:
        """Whether the limit is kept."""
        return self.value <= self.limit

    def __str__(self) -> str:
        line = f"{'ok ' if self.is_kept else 'NOT'}  {self.name:36}{self.value:8,g}  at most {self.limit:,g}"
        return "\n".join([line, *([] if self.is_kept else [f"       {cause}" for cause in self.causes[:20]])])


def measure() -> list[Measure]:
    """Return every measure."""
    return [*_measure_reading(), *_measure_functions(), *_measure_structure()]


def _measure_reading() -> Iterator[Measure]:
    readme = (ROOT / "README.md").read_text()
    for name, heading, limit in (
        ("reading path", SECTION, 12_000),
        ("from S3 to the checks", SHORT_PATH, 8_000),
    ):
        words = {file: len(file.read_text().split()) for file in read_paths(readme, heading)}
        longest = sorted(words, key=lambda file: -words[file])
        causes = [f"{words[file]:,} {file.relative_to(ROOT)}" for file in longest]
        yield Measure(f"words: {name}", sum(words.values()), limit, causes)


def _measure_functions() -> Iterator[Measure]:
    lengths = {name: length for file in code_files() for name, length in function_lengths(file)}
    causes = [f"{length} {name}" for name, length in sorted(lengths.items(), key=lambda item: -item[1])]
    yield Measure("lines: longest function", max(lengths.values()), 30, causes)
    yield Measure("lines: median function", statistics.median(lengths.values()), 8)
    long = [str(file.relative_to(ROOT)) for file in written_files(ROOT) if _count_lines(file) > _LONGEST_FILE]
    yield Measure(f"files over {_LONGEST_FILE} lines", len(long), 0, long)


def _measure_structure() -> Iterator[Measure]:
    rooms = find_rooms(PACKAGE)
    yield Measure("rooms in plugins/sparkify", len(rooms), 12, rooms)
    modules, arrows = find_arrows(PACKAGE)
    up, circles = arrows_up(arrows), [*find_circle(arrows), *find_circle(modules)]
    yield Measure("arrows that point up", len(up), 0, up)
    yield Measure("circles of imports", len(circles), 0, circles)
    back = sorted(find_imports_of(BESIDE.name, PACKAGE))
    yield Measure("imports of what stands beside", len(back), 0, back)
    around = find_circle(find_arrows(BESIDE)[0])
    yield Measure("circles of imports beside", len(around), 0, around)
    duplicates = find_duplicates(code_files(), ROOT)
    yield Measure("duplicated runs of lines", len(duplicates), 0, duplicates)


def code_files() -> list[Path]:
    """Return the Python files of the project that Airflow runs."""
    return sorted(file for folder in ("dags", "plugins") for file in (ROOT / folder).rglob("*.py"))


def written_files(root: Path) -> list[Path]:
    """Return every Python and SQL file that somebody writes: all but what make makes, and hidden folders."""
    found = (file for suffix in ("py", "sql") for file in root.rglob(f"*.{suffix}"))
    made = ("build", "node_modules")
    return sorted(
        file
        for file in found
        if not any(part.startswith(".") or part in made for part in file.relative_to(root).parts)
    )


def function_lengths(file: Path) -> Iterator[tuple[str, int]]:
    """Yield each function of a file, as `file:line name`, with the lines of its body, docstring left out."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", length


def read_paths(readme: str, heading: str) -> list[Path]:
    """Return the files that the lists of a README's section name, those of its subsections included.

    Raises:
        FileNotFoundError: the README names what is not there.
    """
    next_heading = rf"^#{{1,{heading.index(' ')}}} "
    section = re.split(next_heading, readme.split(f"{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    lists = "\n".join(line for line in section.splitlines() if not line.startswith("|"))
    names = re.findall(r"`([\w./-]+/[\w./-]+)`", lists)
    return [file for name in dict.fromkeys(names) for file in _files(ROOT / name)]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.suffix in (".py", ".sql", ".yaml"))
    if not path.exists():
        raise FileNotFoundError(f"README.md names {path.relative_to(ROOT)}, which is not there")
    return [path]


def _count_lines(file: Path) -> int:
    return len(file.read_text().splitlines())


def main() -> int:
    """Print every measure; return 1 if a limit is not kept."""
    measures = measure()
    sys.stdout.write("\n".join(map(str, measures)) + "\n")
    return 0 if all(each.is_kept for each in measures) else 1


if __name__ == "__main__":
    sys.exit(main())
