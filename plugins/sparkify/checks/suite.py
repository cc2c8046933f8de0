"""The checks file: YAML read into checks, or refused with line, check, field and what is allowed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, TypeAlias

import yaml
from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from sparkify.checks.anomaly import Anomaly
from sparkify.checks.freshness import Freshness
from sparkify.checks.model import Check, Model
from sparkify.checks.query_kinds import CustomSql, QueriesEqual
from sparkify.checks.table_kinds import ForeignKey, NotNull, Reference, RowCount, Unique
from sparkify.checks.value_kinds import AcceptedValues, Matches, Range
from sparkify.failures import FatalError

AnyCheck: TypeAlias = (
    NotNull
    | Unique
    | ForeignKey
    | AcceptedValues
    | Range
    | Matches
    | RowCount
    | Freshness
    | Anomaly
    | QueriesEqual
    | CustomSql
)
KINDS: dict[str, type[Check]] = {
    "not_null": NotNull,
    "unique": Unique,
    "foreign_key": ForeignKey,
    "accepted_values": AcceptedValues,
    "range": Range,
    "matches": Matches,
    "row_count": RowCount,
    "freshness": Freshness,
    "anomaly": Anomaly,
    "queries_equal": QueriesEqual,
    "custom_sql": CustomSql,
}
Location: TypeAlias = tuple[int | str, ...]
# libyaml's, where PyYAML has it: a tenth of the time.
_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SuiteError(FatalError):
    """A checks file that cannot be used; the message lists every fault with its place and what is allowed."""


class Suite(Model):
    """The content of a checks file: at least one check, no two of the same name."""

    checks: list[Annotated[AnyCheck, Field(discriminator="kind")]] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct_names(self) -> "Suite":
        counts = Counter(check.title for check in self.checks)
        if doubled := [title for title, count in counts.items() if count > 1]:
            raise ValueError(f"several checks are called {'; '.join(doubled)}: give each its own `name`")
        return self

    @property
    def uses_window(self) -> bool:
        """Whether any check needs to know the run's window."""
        return any(check.uses_window for check in self.checks)


def read_suite(text: str, source: str) -> Suite:
    """Return the checks that `text` describes.

    Args:
        text: YAML with the one key `checks`, a list.
        source: name of the file, for messages.

    Raises:
        SuiteError: the text is no YAML, repeats a key, or does not describe checks.
    """
    try:
        root = yaml.compose(text, Loader=_LOADER)
        repeated = list(_repeated_keys(root)) if root else []
        # SafeLoader makes nothing but plain values.
        content = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe one
    except yaml.YAMLError as error:
        raise SuiteError(f"{source} is not YAML: {error}") from error
    if repeated:
        raise SuiteError(f"{source} cannot be used:\n" + "\n".join(repeated))
    try:
        return Suite.model_validate(content)
    except ValidationError as error:
        faults = [_explain(fault, root, content) for fault in error.errors()]
        raise SuiteError(f"{source} cannot be used:\n" + "\n".join(faults)) from error


def _explain(fault: ErrorDetails, root: yaml.Node | None, content: Any) -> str:  # noqa: ANN401 - any YAML
    location = tuple(part for part in fault["loc"] if part not in KINDS)
    place = f"  line {_line(root, location)}"
    fields = location
    if len(location) > 1 and location[0] == "checks" and isinstance(location[1], int):
        place += f", check {location[1] + 1}{_named(content['checks'][location[1]])}"
        fields = location[2:]
    field = ".".join(str(part) for part in fields)
    return f"{place}: {field + ': ' if field else ''}{_remedy(fault, location, content)}"


def _named(check: Any) -> str:  # noqa: ANN401 - any YAML
    if not isinstance(check, dict):
        return ""
    words = [str(check[key]) for key in ("kind", "name", "table") if check.get(key)]
    return f" ({' '.join(words)})" if words else ""


def _remedy(fault: ErrorDetails, location: Location, content: Any) -> str:  # noqa: ANN401 - any YAML
    kinds = ", ".join(KINDS)
    match fault["type"]:
        case "extra_forbidden":
            return f"unknown field; allowed here: {', '.join(_allowed(location, content))}"
        case "missing":
            return "is missing and must be given"
        case "union_tag_not_found":
            return f"kind is missing; allowed: {kinds}"
        case "union_tag_invalid":
            return f"kind {fault['ctx']['tag']!r} is unknown; allowed: {kinds}"
        case "model_type" | "model_attributes_type":
            return f"must be a mapping with: {', '.join(_allowed((*location, ''), content))}"
    given = fault["input"]
    shown = f", not {given!r}" if isinstance(given, str | int | float | bool) or given is None else ""
    return fault["msg"].removeprefix("Value error, ") + shown


def _allowed(location: Location, content: Any) -> Sequence[str]:  # noqa: ANN401 - any YAML
    """Return the names that may stand where the last part of `location` stands."""
    match location[:-1]:
        case ():
            return list(Suite.model_fields)
        case ("checks", int(number)) if isinstance(content["checks"][number], dict):
            return list(KINDS[content["checks"][number]["kind"]].model_fields)
        case (*_, "references"):
            return list(Reference.model_fields)
    return ["kind", "table", "the fields of the kind"]


def _line(root: yaml.Node | None, location: Location) -> int:
    """Return the line, from 1, of the innermost part of the file on the way to `location`."""
    node, line = root, 1
    for part in location:
        step = _child(node, part)
        if step is None:
            break
        line, node = step
    return line


def _child(node: yaml.Node | None, part: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item = node.value[part]
        return item.start_mark.line + 1, item
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line + 1, value
    return None


def _repeated_keys(node: yaml.Node) -> Iterator[str]:
    """Yield a message for each key that a mapping has twice: YAML would silently keep the last."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                yield f"  line {key.start_mark.line + 1}: {key.value} is given twice in the same mapping"
            seen.add(key.value)
            yield from _repeated_keys(value)
