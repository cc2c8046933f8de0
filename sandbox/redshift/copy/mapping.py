"""Which value of a document each column takes."""

from collections.abc import Callable, Sequence

from sandbox.redshift.copy.errors import INTERNAL_ERROR, CopyError
from sandbox.redshift.copy.jsonpaths import Path, extractor

# The name of a member of the document, or a function that finds the value.
Source = str | Callable[[object], object]


def path_sources(paths: Sequence[Path], column_count: int) -> list[Source]:
    """One source a column from the paths of a jsonpaths file.

    Raises:
        CopyError: There are more or fewer paths than columns.
    """
    if len(paths) != column_count:
        # Text seen at github.com/awslabs/aws-lambda-redshift-loader/issues/32.
        raise CopyError(
            INTERNAL_ERROR,
            "Number of jsonpaths and the number of columns should match. "
            f"JSONPath size: {len(paths)}, Number of columns in table or column list: {column_count}",
        )
    return [path[0] if len(path) == 1 and isinstance(path[0], str) else extractor(path) for path in paths]


def auto_sources(columns: Sequence[str]) -> list[Source]:
    """One source a column: the member of exactly the column's name."""
    return list(columns)


def fold_keys(document: object) -> object:
    """The document with its first level's keys in lower case, for 'auto ignorecase'.

    Of keys that differ only by case the one that is lower case already wins, else the first.
    """
    if not isinstance(document, dict):
        return document
    folded: dict[str, object] = {}
    for key, value in document.items():
        lower = key.lower()
        if key == lower or lower not in folded:
            folded[lower] = value
    return folded
