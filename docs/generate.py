"""Write the pages of docs/ that are made from the code: `python docs/generate.py` (or `make docs`)."""

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "docs"), str(ROOT / "plugins"), str(ROOT)]

import clients  # noqa: E402 - after the path
import quality  # noqa: E402
import refusals  # noqa: E402
import sizing  # noqa: E402
import sqlglot  # noqa: E402
from sqlglot import exp  # noqa: E402

from sparkify import operators as package  # noqa: E402
from sparkify.failures import AWS_FAILURES, DATABASE_FAILURES, Transient  # noqa: E402
from sparkify.warehouse.schema import with_ops  # noqa: E402

# The name of a file by itself, and below it the block with its text.
FILE = re.compile(r"(?P<name>^`(?P<path>[\w./]+)`[^\n]*:\n\n```\w+\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
NOTE = "<!-- Made by docs/generate.py; change the code, then run make docs. -->\n"


def operators() -> str:
    """Return the operator reference: the docstrings of the operators and of what is given to them."""
    pages = [NOTE, "# Operators\n", "`from sparkify.operators import …`\n"]
    for name in sorted(package.__all__):
        described = getattr(package, name)
        pages.append(f"## {name}\n\n```text\n{inspect.cleandoc(described.__doc__)}\n```\n")
        if fields := getattr(described, "template_fields", ()):
            pages.append("Template fields: " + ", ".join(f"`{field}`" for field in fields) + "\n")
    return "\n".join(pages)


def failures() -> str:
    """Return the table of failure classes."""
    lines = [
        NOTE,
        "# Failures\n",
        "A load tries again by itself where that can help, with growing pauses, and leaves the rest to",
        "Airflow's retries. Every other failure ends the task at once, because no retry would mend it.",
        "Either way every table is as it was. The first class that fits decides.\n",
    ]
    for heading, classes in (("The warehouse says", DATABASE_FAILURES), ("AWS says", AWS_FAILURES)):
        lines += [f"## {heading}\n", "| class | tried again | what to do |", "|---|---|---|"]
        lines += [f"| {one.name} | {_yes(isinstance(one, Transient))} | {one.remedy} |" for one in classes]
        lines.append("")
    return "\n".join(lines)


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def schema() -> str:
    """Return the ER diagram of every table of `ops` and below include/, keys as they are declared."""
    lines = [NOTE, "# Tables\n", "```mermaid", "erDiagram"]
    relations: list[str] = []
    for statement in sorted(_tables(), key=_name):
        lines += _entity(statement)
        relations += _relations(statement)
    return "\n".join([*lines, *sorted(relations), "```", ""])


def _tables() -> list[exp.Expression]:
    files = [path.read_text() for path in sorted((ROOT / "include").glob("*/schema*/*.sql"))]
    statements = [sqlglot.parse_one(sql, read="redshift") for sql in with_ops(files)]
    return [statement for statement in statements if statement.args["kind"] == "TABLE"]


def _entity(statement: exp.Expression) -> list[str]:
    keys = {column.name for key in statement.find_all(exp.PrimaryKey) for column in key.expressions}
    columns = [
        f"        {column.kind.sql('redshift').split('(')[0].replace(' ', '_')} {column.name}"
        + (" PK" if column.name in keys else "")
        for column in statement.find_all(exp.ColumnDef)
    ]
    return [f"    {_name(statement)} {{", *columns, "    }"]


def _relations(statement: exp.Expression) -> list[str]:
    return [
        f"    {_name(key.args['reference'])} ||--o{{ {_name(statement)} : {key.expressions[0].name}"
        for key in statement.find_all(exp.ForeignKey)
    ]


def _name(statement: exp.Expression) -> str:
    table = statement.find(exp.Table)
    return f"{table.db}_{table.name}" if table.db else table.name


def dataset() -> str:
    """Return the page on a new dataset, its files as they are; its words are written by hand."""
    text = (ROOT / "docs" / "add-a-dataset.md").read_text()
    return FILE.sub(lambda found: found["name"] + (ROOT / found["path"]).read_text(), text)


PAGES: dict[str, Callable[[], str]] = {
    "operators.md": operators,
    "failures.md": failures,
    "schema.md": schema,
    "quality.md": quality.page,
    "sandbox-refusals.md": refusals.page,
    "sizing.md": sizing.page,
    "add-a-dataset.md": dataset,
    "sandbox.md": clients.page,
}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page())


if __name__ == "__main__":
    main()
