"""WarehouseReportOperator: the report as a task's artifact."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Context

from sparkify.aws import Aws
from sparkify.operators.base import WarehouseOperator
from sparkify.operators.task_failures import translate_failures
from sparkify.warehouse.ledger import utc_now
from sparkify_watch.report.making import make_report

REPORTS = "reports/"
"""Reports stand below this in the work bucket; include/iam allows Airflow to write there."""


class WarehouseReportOperator(WarehouseOperator):
    """Write the report of the warehouse to S3: one HTML file that needs nothing beside it.

    Args:
        bucket: where to; the work bucket.
        region: of the bucket; by default the connection's.
        conn_id: the warehouse's Airflow connection.
        aws_conn_id: the Airflow connection that may put objects below `reports/`.

    Returns:
        The file's address on S3; no other report has it.

    Raises:
        AirflowFailException: what no retry mends, such as a bucket that is not there.
        AirflowException: what may pass.
    """

    template_fields: Sequence[str] = ("bucket", "region", "aws_conn_id", *WarehouseOperator.template_fields)

    def __init__(
        self, *, bucket: str, region: str = "", aws_conn_id: str = "aws_default", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.bucket = bucket
        self.region = region
        self.aws_conn_id = aws_conn_id

    @property
    def doing(self) -> str:
        """What this task does in the warehouse, for its messages."""
        return "reading what the report says"

    def execute(self, context: Context) -> str:  # noqa: ARG002 - Airflow's signature
        """Write the report and return its address."""
        text = self.run_in_warehouse(make_report)
        key = f"{REPORTS}warehouse-{utc_now():%Y-%m-%dT%H-%M-%S.%f}Z.html"
        with translate_failures(f"{self.task_id}: writing s3://{self.bucket}/{key}"):
            Aws(self.aws_conn_id, self.region).s3.put_object(
                Bucket=self.bucket, Key=key, Body=text.encode(), ContentType="text/html; charset=utf-8"
            )
        self.log.info("The report: s3://%s/%s", self.bucket, key)
        return f"s3://{self.bucket}/{key}"
