"""A jsonpaths file: which member of a document goes into which column."""

import re
from collections.abc import Callable

import orjson

from sandbox.redshift.copy.errors import INTERNAL_ERROR, ConversionError, CopyError

# The steps of one path: names of members and indices of array elements; none for the whole document.
Path = tuple[str | int, ...]

# Seen at github.com/awslabs/aws-lambda-redshift-loader/issues/113; the other text is documented.
MEMBER_OF_NO_OBJECT = "Invalid JSONPath format: Member is not an object."
_NO_SUCH_ELEMENT = "Invalid JSONPath format: Not an array or index out of range."

# Redshift names no limit. A table has up to 1,600 columns.
MAX_JSONPATHS_BYTES = 1024 * 1024
_SHOWN_CHARACTERS = 1024

# An index has up to nine digits: no array of a document has as many elements.
_DOT_STEP = re.compile(r"\.([^'.\[\]]+)|\[(\d{1,9})\]")
_BRACKET_STEP = re.compile(r"\['((?:[^'\\]|\\.)+)'\]|\[\"((?:[^\"\\]|\\.)+)\"\]|\[(\d{1,9})\]")


def parse_jsonpaths(text: bytes, address: str) -> list[Path] | None:
    """The paths of a jsonpaths file, or None when its one key is not ``jsonpaths``: then 'auto' is used.

    Args:
        text: The file.
        address: Where it is, for messages.

    Raises:
        CopyError: It is not one JSON object with a list of well-formed paths in one notation.
    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _invalid(address, f"it is not one JSON object: {error}") from error
    if not isinstance(document, dict):
        raise _invalid(address, "it is not a JSON object")
    # A file with another key is ignored without a word (data format parameters, "jsonpaths file").
    if "jsonpaths" not in document:
        return None
    paths = document["jsonpaths"]
    if not isinstance(paths, list) or not all(isinstance(path, str) and path for path in paths):
        raise _invalid(address, "'jsonpaths' is not a list of texts that are not empty")
    return _paths(paths, address)


def extractor(path: Path) -> Callable[[object], object]:
    """A function that takes a document and returns the value at `path`.

    A missing member is None; it raises ConversionError for an element of something that is no array or is
    shorter, and for a member of something that is no object.
    """

    def extract(document: object) -> object:
        value = document
        for step in path:
            if isinstance(step, int):
                if not isinstance(value, list) or step >= len(value):
                    raise ConversionError(1216, _NO_SUCH_ELEMENT)
                value = value[step]
            elif value is None:
                return None
            elif isinstance(value, dict):
                value = value.get(step)
            else:
                raise ConversionError(1216, MEMBER_OF_NO_OBJECT)
        return value

    return extract


def _paths(texts: list[str], address: str) -> list[Path]:
    dotted = any(_notation(text) == "." for text in texts)
    if dotted and any(_notation(text) == "'" for text in texts):
        raise _invalid(address, "dot and bracket notation are mixed")
    step = _DOT_STEP if dotted else _BRACKET_STEP
    return [_path(text, step, address) for text in texts]


def _notation(text: str) -> str:
    """'.' or "'", or '' for a path that fits both: ``$`` and ``$[0]``."""
    first = re.search(r"\.|\[['\"]", text)
    return "" if first is None else "." if first.group() == "." else "'"


def _path(text: str, step: re.Pattern[str], address: str) -> Path:
    if not text.startswith("$"):
        raise _invalid(address, f"the path {text[:_SHOWN_CHARACTERS]} does not begin with $")
    steps: list[str | int] = []
    position = 1
    while position < len(text):
        match = step.match(text, position)
        if match is None:
            at = text[position:][:_SHOWN_CHARACTERS]
            raise _invalid(address, f"the path {text[:_SHOWN_CHARACTERS]} is malformed at '{at}'")
        names, index = match.groups()[:-1], match.groups()[-1]
        steps.append(int(index) if index is not None else next(name for name in names if name is not None))
        position = match.end()
    return tuple(steps)


def _invalid(address: str, reason: str) -> CopyError:
    return CopyError(
        INTERNAL_ERROR,
        f"Invalid JSONPath format: {address}: {reason}",
        hint='A jsonpaths file is {"jsonpaths": ["$[\'name\']", ...]} with a path for every column.',
    )
