"""OpenLineage events: whether they are what the standard asks for, and the graph that they tell of."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema

TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
URL: dict[str, Any] = {"type": "string", "format": "uri", "pattern": "^[a-z0-9]+://"}


def an_object(required: Mapping[str, Any], **optional: Any) -> dict[str, Any]:
    """The schema of an object that has some fields and may have others."""
    return {"type": "object", "properties": {**required, **optional}, "required": list(required)}


def a_list(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def a_map(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values}


def a_facet(required: Mapping[str, Any], **optional: Any) -> dict[str, Any]:
    return an_object({"_producer": URL, "_schemaURL": URL, **required}, **optional)


STATISTICS = a_facet({}, rowCount=COUNT, size=COUNT, fileCount=COUNT)
FIELD = an_object({"namespace": TEXT, "name": TEXT, "field": TEXT})
FACETS = {
    "schema": a_facet({"fields": a_list(an_object({"name": TEXT}, type=TEXT))}),
    "columnLineage": a_facet({"fields": a_map(an_object({"inputFields": a_list(FIELD)}))}),
    "lifecycleStateChange": a_facet(
        {"lifecycleStateChange": {"enum": ["ALTER", "CREATE", "DROP", "OVERWRITE", "RENAME", "TRUNCATE"]}}
    ),
}
CHECKS = a_facet(
    {
        "assertions": a_list(
            an_object(
                {"assertion": TEXT, "success": {"type": "boolean"}},
                severity={"enum": ["error", "warn"]},
                **{key: {"type": "string"} for key in ("column", "name", "expected", "actual", "content")},
            )
        )
    }
)


def a_dataset(facets: str, **known: Any) -> dict[str, Any]:
    more = {**a_map(a_facet({})), "properties": known}
    named = {"namespace": URL, "name": TEXT}
    return an_object(named, facets={**a_map(a_facet({})), "properties": FACETS}, **{facets: more})


EVENT = an_object(
    {
        "eventTime": {"type": "string", "format": "date-time"},
        "producer": URL,
        "schemaURL": URL,
        "run": an_object({"runId": {"type": "string", "format": "uuid"}}, facets=a_map(a_facet({}))),
        "job": an_object({"namespace": TEXT, "name": TEXT}, facets=a_map(a_facet({}))),
    },
    eventType={"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
    inputs=a_list(a_dataset("inputFacets", inputStatistics=STATISTICS, dataQualityAssertions=CHECKS)),
    outputs=a_list(a_dataset("outputFacets", outputStatistics=STATISTICS)),
)
"""What of a run event the project relies on, after OpenLineage 2-0-2 and its facets."""


def check_events(events: Iterable[Mapping[str, Any]]) -> None:
    """Assert that every event is one of OpenLineage."""
    validator = jsonschema.Draft202012Validator(EVENT, format_checker=jsonschema.FormatChecker())
    for event in events:
        validator.validate(event)


def read_events(path: Path) -> list[dict[str, Any]]:
    """The events that the transport `file` has written, one a line."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def emit(path: Path, task: Any, *, failed: bool = False) -> None:
    """Write what a task that was executed tells of, as the provider's listener does."""
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    from openlineage.client.transport.file import FileConfig, FileTransport

    told = task.get_openlineage_facets_on_complete(None)
    event = RunEvent(
        eventType=RunState.FAIL if failed else RunState.COMPLETE,
        eventTime=datetime.now(UTC).isoformat(),
        run=Run(str(uuid.uuid4()), facets=told.run_facets),
        job=Job("tests", f"{task.dag_id}.{task.task_id}", facets=told.job_facets),
        inputs=told.inputs,
        outputs=told.outputs,
        producer="https://example.org/tests",
    )
    OpenLineageClient(transport=FileTransport(FileConfig(str(path), append=True))).emit(event)


class Node(NamedTuple):
    """A column of a table, or a field of a file."""

    dataset: str
    column: str


@dataclass
class Graph:
    """What the newest events of every job say, as a catalogue such as Marquez puts it together.

    Attributes:
        made_of: of each column those that it is made of.
        schemas: columns and types of each dataset.
        jobs: datasets read and written, by the name of the job.
    """

    made_of: dict[Node, set[Node]] = field(default_factory=dict)
    schemas: dict[str, dict[str, str]] = field(default_factory=dict)
    jobs: dict[str, tuple[set[str], set[str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Sequence[Mapping[str, Any]]) -> "Graph":
        graph = cls()
        for event in events:
            read, written = graph.jobs.setdefault(event["job"]["name"], (set(), set()))
            read |= {dataset["name"] for dataset in event.get("inputs", ())}
            for dataset in event.get("outputs", ()):
                written.add(dataset["name"])
                graph._add(dataset["name"], dataset.get("facets", {}))
        return graph

    def _add(self, dataset: str, facets: Mapping[str, Any]) -> None:
        if "schema" in facets:
            self.schemas[dataset] = {one["name"]: one.get("type", "") for one in facets["schema"]["fields"]}
        for column, found in facets.get("columnLineage", {}).get("fields", {}).items():
            origins = {Node(one["name"], one["field"]) for one in found["inputFields"]}
            self.made_of.setdefault(Node(dataset, column), set()).update(origins)

    def sources(self, dataset: str, column: str) -> set[Node]:
        """The fields of files that a column is made of in the end."""
        return set(self._walk(Node(dataset, column), set()))

    def _walk(self, node: Node, seen: set[Node]) -> Iterator[Node]:
        if node in seen:
            return
        seen.add(node)
        if node not in self.made_of:
            yield node
        for origin in self.made_of.get(node, ()):
            yield from self._walk(origin, seen)
