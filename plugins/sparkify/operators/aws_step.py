"""What the operators over AWS share: the connection, and errors that say whether trying again helps."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from sparkify.aws import Aws, NotYet
from sparkify.failures import FatalError, explain, is_transient

Result = TypeVar("Result")


class AwsOperator(BaseOperator):
    """Call AWS over one Airflow connection.

    Args:
        aws_conn_id: the Airflow connection with the credentials.
    """

    template_fields: Sequence[str] = ("aws_conn_id",)
    ui_color = "#dfe6f3"

    def __init__(self, *, aws_conn_id: str = "aws_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.aws_conn_id = aws_conn_id

    def call_aws(self, region: str, call: Callable[[Aws], Result], doing: str = "") -> Result:
        """Return what `call` gives.

        Args:
            region: where; empty for the connection's own.
            call: does the work.
            doing: what it does, for messages.

        Raises:
            NotYet: as `call` does.
            AirflowFailException: what no retry mends, with the remedy.
            AirflowException: what may pass; Airflow's retries go on from here.
        """
        try:
            return call(Aws(self.aws_conn_id, region))
        except NotYet:
            raise
        except FatalError as error:
            raise AirflowFailException(str(error)) from None
        except Exception as error:
            kind = AirflowException if is_transient(error) else AirflowFailException
            what = f"{self.task_id}: {doing or 'calling AWS'} over connection {self.aws_conn_id}"
            raise kind(explain(error, what)) from error
