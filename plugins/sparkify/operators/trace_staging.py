"""The lineage of a staging table: from the fields of its files to its columns."""

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sparkify.operators.lineage import Data, Lineage, Origin, describe_files, read_columns
from sparkify.stage.job import LOAD_ID, Staged, StagingJob
from sparkify.warehouse.columns import Column

if TYPE_CHECKING:
    from airflow.providers.common.sql.operators.sql import BaseSQLOperator

_STEP = re.compile(r"[^.\[\]'\"$]+")


def trace_staging(operator: "BaseSQLOperator", job: StagingJob, staged: Staged) -> Lineage:
    """Return what a staging load read and wrote.

    Args:
        operator: its connection knows the table's columns.
        job: what was staged.
        staged: what came of it.
    """
    files = describe_files((file.url, file.size) for file in staged.files)
    columns = read_columns(operator, job.table)
    origins = {
        column: [Origin(file.name, field) for file in files]
        for column, field in _fields(job, columns).items()
        if files
    }
    types = {column.name: column.type for column in columns}
    target = Data(name=job.table, rows=staged.record.rows_inserted, columns=types, origins=origins)
    return Lineage(files, [target])


def _fields(job: StagingJob, columns: Sequence[Column]) -> dict[str, str]:
    """Return the field that each column is read from; none where a jsonpaths file on S3 says which."""
    names = [column.name for column in columns if column.name != LOAD_ID and not column.fills_itself]
    if job.jsonpaths is not None:
        paths = json.loads(job.jsonpaths)["jsonpaths"]
        return dict(zip(names, map(_name_of, paths), strict=False))
    return {name: name for name in names} if job.json.startswith("auto") else {}


def _name_of(path: str) -> str:
    """Return the field of a jsonpath: `$.user.id` and `$['user']['id']` are `user.id`."""
    return ".".join(_STEP.findall(path))
