"""How the documents of one COPY become rows, as a value that another process can be told."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sandbox.redshift.copy.columns import TargetColumn
from sandbox.redshift.copy.jsonpaths import Path
from sandbox.redshift.copy.mapping import auto_sources, path_sources
from sandbox.redshift.copy.options import Options
from sandbox.redshift.copy.rows import RowBuilder


@dataclass(frozen=True)
class RowPlan:
    """The table, and what its columns take.

    Args:
        columns: The target's columns in COPY's order.
        paths: One for each column, or None for the members of the columns' names.
        options: How values are converted.
    """

    columns: Sequence[TargetColumn]
    paths: Sequence[Path] | None
    options: Options

    def builder(self) -> RowBuilder:
        """What makes the rows.

        Raises:
            CopyError: The paths are not as many as the columns, or a column cannot be loaded.
        """
        if self.paths is None:
            sources = auto_sources([column.name for column in self.columns])
        else:
            sources = path_sources(self.paths, len(self.columns))
        return RowBuilder(self.columns, sources, self.options, auto=self.paths is None)

    def to_json(self) -> bytes:
        """The plan as bytes; it holds no secret."""
        columns = [asdict(column) for column in self.columns]
        return json.dumps({"columns": columns, "paths": self.paths, "options": asdict(self.options)}).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "RowPlan":
        """The plan that `to_json` wrote."""
        found = json.loads(text)
        paths = found["paths"]
        return cls(
            columns=[TargetColumn(**column) for column in found["columns"]],
            paths=None if paths is None else [tuple(path) for path in paths],
            options=Options(**found["options"]),
        )
