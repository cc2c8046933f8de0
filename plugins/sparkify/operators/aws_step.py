"""What the operators over AWS share: the connection, and errors that say whether trying again helps."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from airflow.sdk import BaseOperator

from sparkify.aws import Aws
from sparkify.operators.task_docs import with_doc
from sparkify.operators.task_failures import translate_failures
from sparkify.operators.traced import Traced

Result = TypeVar("Result")


class AwsOperator(Traced, BaseOperator):
    """Call AWS over one Airflow connection.

    Args:
        aws_conn_id: the Airflow connection with the credentials.
    """

    template_fields: Sequence[str] = ("aws_conn_id",)
    ui_color = "#dfe6f3"

    def __init__(self, *, aws_conn_id: str = "aws_default", **kwargs: Any) -> None:
        super().__init__(**with_doc(type(self), kwargs))
        self.aws_conn_id = aws_conn_id

    def call_aws(self, region: str, call: Callable[[Aws], Result], doing: str = "calling AWS") -> Result:
        """Return what `call` gives.

        Args:
            region: where; empty for the connection's own.
            call: does the work.
            doing: what it does, for messages.

        Raises:
            AirflowFailException: what no retry mends, with the remedy.
            AirflowException: what may pass; Airflow's retries go on from here.
        """
        with translate_failures(f"{self.task_id}: {doing} over connection {self.aws_conn_id}"):
            return call(Aws(self.aws_conn_id, region))
