"""A cluster and a snapshot as moto knows them, with statuses that change by the clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moto.redshift.models import Cluster, Snapshot

from sandbox.aws.clusters.course import Clock, Course
from sandbox.aws.clusters.gate import Gate

# Of the statuses the API reference lists, those that do not pass by themselves and need an administrator.
FAILED = frozenset(
    (
        *("incompatible-hsm", "incompatible-network", "incompatible-parameters", "incompatible-restore"),
        *("hardware-failure", "storage-full"),
    )
)
_FIRST = frozenset(("creating", "restoring"))
# UNCONFIRMED: the reference defines Available, Unavailable, Maintenance, Modifying and Failed, without saying
# which status has which; AWS's examples show Modifying beside creating, pausing and resuming.
_AVAILABILITY = {"available": "Available", "paused": "Unavailable", **dict.fromkeys(FAILED, "Failed")}


@dataclass(frozen=True)
class Surroundings:
    """What every cluster of a sandbox shares.

    Args:
        clock: Tells the moment a request is answered at.
        seconds: How long a passing status lasts.
        role_seconds: How long Redshift does not know a new IAM role.
        caller: The IPv4 address of everybody who connects.
        host: The IPv4 address that clusters listen on.
        address: The name or address by which others reach clusters.
        endpoint: Host and port of the SQL endpoint.
    """

    clock: Clock
    seconds: float
    role_seconds: float
    caller: str
    host: str
    address: str
    endpoint: tuple[str, int]


class LivingCluster(Cluster):
    """A moto cluster whose status follows a course; moto's answers read its attributes.

    Args:
        surroundings: Clock, duration and endpoint.
        outcome: The status it ends in; anything but ``available`` is a failed creation.
        settings: moto's arguments.

    Attributes:
        gate: The port by which clients reach it.
    """

    def __init__(self, surroundings: Surroundings, outcome: str, **settings: Any) -> None:
        self._surroundings = surroundings
        self._course = Course(surroundings.clock, surroundings.seconds, ["creating"], outcome)
        self._had_endpoint = False
        self.default_iam_role_arn: str | None = None
        self.master_password_secret_arn: str | None = None
        # Encryption is AWS's default since 2025, and anything else is refused; moto's default is none.
        super().__init__(**{**settings, "encrypted": True})
        self.gate = Gate(surroundings.host, surroundings.endpoint)

    @property
    def status(self) -> str:
        """Its status, as DescribeClusters tells it."""
        return self._course.status

    @status.setter
    def status(self, _: str) -> None:
        """What moto would set at once; a course decides instead."""

    @property
    def cluster_availability_status(self) -> str:
        """Whether queries can be run, in the API's words."""
        return _AVAILABILITY.get(self.status, "Modifying")

    @property
    def is_gone(self) -> bool:
        """Whether its deletion is over."""
        return self._course.is_gone

    @property
    def endpoint(self) -> Any:  # noqa: ANN401 - moto promises one at once
        """Where it is reached; None until the cluster has been available."""
        self._had_endpoint = self._had_endpoint or self.status not in _FIRST | FAILED
        if not self._had_endpoint:
            return None
        return {"Address": self._surroundings.address, "Port": self.gate.port}

    @property
    def restore_status(self) -> dict[str, Any] | None:
        """The progress of a restore, as far as the API's fields are true here."""
        if not self.restored_from_snapshot:
            return None
        return {"Status": "restoring" if self.status in _FIRST else "completed"}

    def begin(self, passing: Sequence[str], final: str | None) -> None:
        """Enter the first of these statuses; the others follow by the clock, then `final`, or nothing."""
        _ = self.endpoint  # a cluster that has had an endpoint shows it to the end
        self._course = Course(self._surroundings.clock, self._surroundings.seconds, passing, final)


class LivingSnapshot(Snapshot):
    """A moto snapshot that is being made for a while.

    Args:
        surroundings: Clock and duration.
        settings: moto's arguments.
    """

    def __init__(self, surroundings: Surroundings, **settings: Any) -> None:
        passing = [] if settings.get("snapshot_type") == "automated" else ["creating"]
        self._course = Course(surroundings.clock, surroundings.seconds, passing, "available")
        super().__init__(**settings)
        cluster = settings["cluster"]
        self.master_password_is_managed = cluster.master_password_secret_arn is not None

    @property
    def status(self) -> str:
        """Its status, as DescribeClusterSnapshots tells it."""
        return self._course.status

    @status.setter
    def status(self, _: str) -> None:
        """What moto would set at once; a course decides instead."""
