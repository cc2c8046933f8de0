"""AWS clients of one connection, and the words for what AWS says."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from botocore.config import Config
from botocore.exceptions import ClientError

from sparkify.failures import TransientError

if TYPE_CHECKING:
    from mypy_boto3_ec2.client import EC2Client
    from mypy_boto3_iam.client import IAMClient
    from mypy_boto3_redshift.client import RedshiftClient
    from mypy_boto3_s3.client import S3Client

# boto tries again after throttling, server errors and lost connections.
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=10, read_timeout=60)


class NotYet(TransientError):  # noqa: N818 - a reason to come back, not a fault
    """Something is on its way from one state to another; the step is to be tried again later."""


class KnowsCaller:
    """A hook that knows who calls it; others read the call stack, and the source of all that is on it."""

    def _get_caller(self, target_function_name: str = "execute") -> str:  # noqa: ARG002 - as it is called
        return "Sparkify"


class _Hook(KnowsCaller, AwsGenericHook[Any]):
    pass


@dataclass(frozen=True)
class Aws:
    """The AWS clients that the cluster modules use.

    Args:
        conn_id: the Airflow connection with the credentials.
        region: where everything is; empty for the connection's own.
        config: how long to wait for an answer and how often to ask, where that is not as for tasks.
    """

    conn_id: str
    region: str
    config: Config | None = None

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        client: S3Client = self._client("s3")
        return client

    @cached_property
    def iam(self) -> "IAMClient":
        """IAM."""
        client: IAMClient = self._client("iam")
        return client

    @cached_property
    def ec2(self) -> "EC2Client":
        """EC2: networks."""
        client: EC2Client = self._client("ec2")
        return client

    @cached_property
    def redshift(self) -> "RedshiftClient":
        """Redshift."""
        client: RedshiftClient = self._client("redshift")
        return client

    @cached_property
    def serverless(self) -> Any:  # noqa: ANN401 - there are no types of this client among ours
        """Redshift Serverless."""
        return self._client("redshift-serverless")

    @cached_property
    def secrets(self) -> Any:  # noqa: ANN401 - there are no types of this client among ours
        """Secrets Manager."""
        return self._client("secretsmanager")

    @property
    def account(self) -> str:
        """The account's number, asked for each time: credentials may have become another's."""
        number: str = self._client("sts").get_caller_identity()["Account"]
        return number

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto's clients are made from data
        hook = _Hook(
            aws_conn_id=self.conn_id,
            client_type=service,
            region_name=self.region or None,
            config=self.config or _CONFIG,
        )
        return hook.get_conn()


def code_of(error: ClientError) -> str:
    """Return AWS's code of an error."""
    return str(error.response["Error"].get("Code", ""))
