"""The form of the DAG that replays rejected rows."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Param


def replay_params(datasets: Sequence[str]) -> dict[str, Param]:
    """Return the params of a DAG that replays rejected rows.

    Args:
        datasets: the names to choose from, the default first.
    """
    return {**_choice(datasets), **_corrections()}


def _choice(datasets: Sequence[str]) -> dict[str, Param]:
    return {
        "dataset": Param(
            datasets[0],
            type="string",
            enum=list(datasets),
            title="Dataset",
            description="Whose rejected rows.",
        ),
        "load_id": _text("Load", "Only the rows that this load left. Empty: those of all loads."),
        "file": _text(
            "File",
            "Only the rows of this file: its key in the source bucket, or its s3:// address. Empty: of all.",
        ),
        "dry_run": Param(
            True,
            type="boolean",
            title="Change nothing",
            description="Only say what would become of each row. Take this away to correct and to load.",
        ),
    }


def _corrections() -> dict[str, Param]:
    return {
        "corrections": _text(
            "Rows",
            'A line of JSON for each: {"file": key, "line": number, "row": {…}}; "row": null takes the line'
            " out. Empty where the files themselves were mended.",
            format="multiline",
            section="Corrected rows",
        ),
        "corrections_key": _text(
            "File of rows",
            "Key of a file in the source bucket with such lines, for example corrected/2018-11-15.json.",
            section="Corrected rows",
        ),
    }


def _text(title: str, description: str, **more: Any) -> Param:
    return Param(None, type=["null", "string"], title=title, description=description, **more)
