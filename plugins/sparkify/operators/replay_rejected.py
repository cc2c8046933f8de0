"""ReplayRejectedOperator and CheckReplayOperator: rejected rows come in once their files are corrected."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import Context

from sparkify.failures import FatalError
from sparkify.operators.base import WarehouseOperator
from sparkify.operators.staging_job import is_true
from sparkify.operators.task_failures import translate_failures
from sparkify.s3.client import make_s3_client
from sparkify.stage.corrections import Corrector, read_corrections
from sparkify.stage.replay import Replay, Replayer, Selection
from sparkify.warehouse.open_rows import find_open
from sparkify.warehouse.session import Session

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


class ReplayRejectedOperator(WarehouseOperator):
    """Say what becomes of rejected rows, write corrected ones into their files, and name what to load again.

    Nothing is written to the warehouse: a row comes in with its file, by the loads of the windows that are
    returned, or by any other load of that file. So it comes once, whatever is killed, retried or run again.

    Args:
        datasets: by name: `staging`, how the table of its windows is staged (arguments of
            StageToRedshiftOperator), and `folders` in the source bucket.
        dataset: whose rejected rows.
        load_id: only of files in which this load left rows.
        file: only of this file, a key of the source bucket or an address.
        corrections: corrected rows, each a line of JSON with `file`, `line` and `row` (null takes it out);
            where there are any, only their files are looked at.
        corrections_key: a file of the source bucket with such lines.
        dry: change nothing and name nothing.
        aws_conn_id: the Airflow connection that lists the source and, for corrections, writes to it.

    Returns:
        The windows to load again, each as the conf of a run of the dataset's DAG; pushed as `replayed`: how
        many rows of each of their files may stay rejected.

    Raises:
        AirflowFailException: no such dataset; corrections that are none, or do not fit the rejected rows.
    """

    template_fields: Sequence[str] = (
        "datasets",
        "dataset",
        "load_id",
        "file",
        "corrections",
        "corrections_key",
        "dry",
        *WarehouseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        datasets: Mapping[str, Mapping[str, Any]],
        dataset: str,
        load_id: str = "",
        file: str = "",
        corrections: str = "",
        corrections_key: str = "",
        dry: bool | str = True,
        aws_conn_id: str = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.datasets = {name: dict(found) for name, found in datasets.items()}
        self.dataset = dataset
        self.load_id = load_id
        self.file = file
        self.corrections = corrections
        self.corrections_key = corrections_key
        self.dry = dry
        self.aws_conn_id = aws_conn_id

    @property
    def doing(self) -> str:
        """What this task does in the warehouse, for its messages."""
        return "looking at rejected rows"

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Correct files and return what to load again."""
        with translate_failures(f"{self.task_id}: reading the corrected rows"):
            s3, chosen = make_s3_client(self.aws_conn_id), self._selection()
            corrections = read_corrections(self._read_text(s3, chosen.bucket), chosen.bucket)
        staging, dry = self.datasets[self.dataset]["staging"], is_true(self.dry)
        corrector = Corrector(s3, chosen.bucket, bool(staging.get("gzip")), dry)
        replay = self.run_in_warehouse(
            lambda session: Replayer(session, s3, staging, chosen, corrector).replay(corrections)
        )
        self._report(replay)
        context["ti"].xcom_push(key="replayed", value={} if dry else dict(replay.left))
        return [] if dry else _confs(replay)

    def _selection(self) -> Selection:
        if self.dataset not in self.datasets:
            raise FatalError(f"{self.dataset!r} is no dataset.", f"Those are: {', '.join(self.datasets)}.")
        found = self.datasets[self.dataset]
        return Selection(found["staging"]["bucket"], found["folders"], self.load_id, self.file)

    def _read_text(self, s3: "S3Client", bucket: str) -> str:
        if not self.corrections_key:
            return self.corrections
        key = self.corrections_key.removeprefix(f"s3://{bucket}/")
        try:
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except s3.exceptions.NoSuchKey:
            raise FatalError(f"The file of corrected rows, s3://{bucket}/{key}, is not there.") from None
        return f"{self.corrections}\n{body.decode(errors='replace')}"

    def _report(self, replay: Replay) -> None:
        if not replay.rows:
            self.log.info("No row of %s that is selected here is rejected.", self.dataset)
            return
        self.log.info("Rejected rows of %s: %d\n%s", self.dataset, len(replay.rows), replay.table())
        windows = ", ".join(map(str, replay.windows)) or "none"
        would = "Dry run, nothing is changed. Windows to load again: %s"
        self.log.info(would if is_true(self.dry) else "Windows to load again: %s", windows)


class CheckReplayOperator(WarehouseOperator):
    """Fail if rows that were to come in are rejected again.

    Args:
        replayed: by the address of each file that was loaded again, how many of its rows may stay rejected;
            also as JSON.

    Raises:
        AirflowFailException: more of them are; the message names them.
    """

    template_fields: Sequence[str] = ("replayed", *WarehouseOperator.template_fields)

    def __init__(self, *, replayed: Mapping[str, int] | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.replayed = replayed

    @property
    def doing(self) -> str:
        """What this task does in the warehouse, for its messages."""
        return "looking at rejected rows"

    def execute(self, context: Context) -> dict[str, int]:  # noqa: ARG002 - Airflow's signature
        """Compare what is rejected now with what may be."""
        given = self.replayed
        allowed: dict[str, int] = (json.loads(given) if isinstance(given, str) else dict(given)) or {}
        return self.run_in_warehouse(lambda session: self._check(session, allowed))

    def _check(self, session: Session, allowed: Mapping[str, int]) -> dict[str, int]:
        still = {url: [row for row in find_open(session, url) if row.file == url] for url in allowed}
        wrong = [str(row) for url, rows in still.items() if len(rows) > allowed[url] for row in rows]
        if wrong:
            raise FatalError(
                f"Rejected again, of the files that were loaded: {len(wrong)} rows.\n  "
                + "\n  ".join(wrong[:20]),
                "\nCorrect them and run this again; all others have come in.",
            )
        counts = {url: len(rows) for url, rows in still.items()}
        self.log.info(
            "Files loaded again: %d; rows of them still rejected: %d", len(counts), sum(counts.values())
        )
        return counts


def _confs(replay: Replay) -> list[dict[str, Any]]:
    more = {"keep_strays": True} if replay.keep_strays else {}
    return [
        {"window_start": window.start.isoformat(), "window_end": window.end.isoformat(), **more}
        for window in replay.windows
    ]
