"""Which tables and columns a SELECT reads, by the parser that comes with the OpenLineage provider."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# What the parser would stumble over; it has no say in where a column comes from.
_PLACEHOLDER = re.compile(r"%\(\w+\)s")
_COMMENT = re.compile(r"--[^\n]*")


@dataclass(frozen=True, slots=True)
class Reads:
    """What a SELECT reads.

    Args:
        tables: tables and views, sorted.
        columns: for each column that it gives: table and column of those that it is made of.
    """

    tables: Sequence[str] = ()
    columns: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)


def find_reads(statement: str) -> Reads:
    """Return what a SELECT or CREATE VIEW reads; what the parser does not understand reads nothing.

    Raises:
        ImportError: the OpenLineage provider is not installed.
    """
    from openlineage_sql import parse  # noqa: PLC0415 - optional

    text = _PLACEHOLDER.sub("NULL", _COMMENT.sub("", statement)).strip().rstrip(";")
    found = parse([text], dialect="redshift")
    if found is None:
        return Reads()
    columns = {
        made.descendant.name: [
            (origin.origin.qualified_name, origin.name) for origin in made.lineage if origin.origin
        ]
        for made in found.column_lineage
    }
    tables = sorted({table.qualified_name for table in found.in_tables})
    return Reads(tables, {name: origins for name, origins in columns.items() if origins})
