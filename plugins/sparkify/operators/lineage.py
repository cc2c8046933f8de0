"""What a task read and wrote, said without OpenLineage."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from airflow.providers.common.sql.operators.sql import BaseSQLOperator, SQLCheckResult

from sparkify.operators.connection import make_opener
from sparkify.warehouse.columns import Column, columns_of
from sparkify.warehouse.tries import run_load

# So many files are named one by one; more stand as the folders that they are in.
_MOST_FILES = 50

Change = Literal["CREATE", "OVERWRITE", "TRUNCATE"]


class Origin(NamedTuple):
    """A column of a table, or a field of a file, by the name of its Data."""

    source: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """A table or a file that a task read or wrote.

    Args:
        name: `table` or `schema.table`; of a file or folder its address, such as `s3://bucket/key`.
        rows: how many were read or written.
        size: in bytes.
        files: how many, of a folder.
        columns: of a table: the type of each, or an empty text where that is not known.
        origins: of a table that was written: what each of its columns is made of.
        change: what became of the table itself.
        checks: what was asked about it.
    """

    name: str
    rows: int | None = None
    size: int | None = None
    files: int | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, Sequence[Origin]] = field(default_factory=dict)
    change: Change | None = None
    checks: Sequence[SQLCheckResult] = ()


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a task read and wrote, and the SQL it did it by."""

    inputs: Sequence[Data] = ()
    outputs: Sequence[Data] = ()
    sql: str = ""


def read_columns(operator: BaseSQLOperator, table: str) -> list[Column]:
    """Return the columns of a table, over a connection of its own; none where there is no such table."""
    name = f"{operator.dag_id}.{operator.task_id}"
    return run_load(
        make_opener(operator.get_db_hook(), name),
        lambda session: columns_of(session, table),
        what=f"{name}: looking at the columns of {table} for its lineage",
        log=operator.log,
        journal=[],
        tries=1,
    )


def describe_files(files: Iterable[tuple[str, int | None]]) -> list[Data]:
    """Return files as Data: each by itself or, if there are many, the topmost folders of their bucket.

    Args:
        files: `s3://` addresses, each with its bytes if they are known.
    """
    named = list(files)
    if len(named) <= _MOST_FILES:
        return [Data(name=url, size=size) for url, size in named]
    folders: dict[str, list[int | None]] = {}
    for url, size in named:
        folders.setdefault("/".join(url.split("/")[:4]), []).append(size)
    return [
        Data(name=folder, files=len(sizes), size=None if None in sizes else sum(filter(None, sizes)))
        for folder, sizes in folders.items()
    ]
