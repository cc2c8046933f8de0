"""What AWS says of our clusters and of the one that loads connect to: asked briefly, in the background."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from airflow.sdk import Connection, Variable
from airflow.sdk.exceptions import AirflowNotFoundException
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sparkify.aws import Aws, code_of
from sparkify.cluster.cluster import GOING, Cluster
from sparkify.cluster.kinds import LOOKS
from sparkify.cluster.status import CONN_ID
from sparkify.failures import FatalError
from sparkify_watch.lookout import Lookout

ABSENT, UNKNOWN = "absent", "unknown"

# A page does not wait for AWS as a task does.
_PROMPT = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=2, read_timeout=4)
_SECONDS = 20.0
_CLOSED = frozenset({ABSENT, "paused", "pausing", "resuming", "creating", "rebooting", "incomplete", *GOING})


@dataclass(frozen=True, slots=True)
class Named:
    """The cluster that the connection of the loads names.

    Args:
        kind: `provisioned` or `serverless`.
        identifier: of the cluster or workgroup.
        region: where it is; empty where the connection does not say.
    """

    kind: str
    identifier: str
    region: str


@dataclass(frozen=True, slots=True)
class ClusterState:
    """One cluster or workgroup.

    Args:
        kind: `provisioned` or `serverless`.
        identifier: its name.
        status: in AWS's words, or `absent`, or `unknown` where AWS did not answer.
        cluster: as AWS describes it, unless it is absent or unknown.
        costs: what it has cost at most, in words; empty where that is not known.
        is_loaded: whether the connection of the loads names it.
    """

    kind: str
    identifier: str
    status: str
    cluster: Cluster | None = None
    costs: str = ""
    is_loaded: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether `redshift_cluster` made it, and may change it."""
        return self.cluster is not None and self.cluster.is_ours

    @property
    def actions(self) -> tuple[str, ...]:
        """What can be done to it now: `pause` or `resume`, or nothing."""
        if self.kind != "provisioned" or not self.is_ours:
            return ()
        return {"available": ("pause",), "paused": ("resume",)}.get(self.status, ())

    @property
    def expires(self) -> str:
        """When the reaper may act, in words."""
        if self.cluster is None:
            return ""
        try:
            at = self.cluster.expires_at
        except FatalError as error:
            return str(error)
        return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"


@dataclass(frozen=True, slots=True)
class Clusters:
    """What a look at AWS has found.

    Args:
        states: each cluster of ours and the one that the loads' connection names, which comes first.
        named: that one, or None where the connection has an address only, or is missing.
        problems: what AWS refused, or why it did not answer.
        looked_at: aware time.
    """

    states: tuple[ClusterState, ...]
    named: Named | None
    problems: tuple[str, ...]
    looked_at: datetime


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether something that nobody has asked for may connect to the warehouse.

    Args:
        is_open: it may.
        can_be_asked: where it may not, whether it may when a person says so.
        reason: why not, for people; empty where it may.
    """

    is_open: bool
    can_be_asked: bool = False
    reason: str = ""


def find_clusters(wait: float) -> Clusters | None:
    """Return what AWS said last, at most some seconds ago unless it is slow; None before its first answer.

    Args:
        wait: how many seconds to wait for a new answer.
    """
    return _LOOKOUT.get(wait)


def look_again() -> None:
    """Take what AWS said last for old: somebody has just changed something."""
    _LOOKOUT.forget()


def may_connect(wait: float = 8.0, is_awake: Callable[[], bool] = lambda: False) -> Admission:
    """Tell whether the warehouse may be connected to without waking or missing it.

    Args:
        wait: how many seconds to wait for AWS, where it has to be asked.
        is_awake: tells whether a load is under way, so that a Serverless workgroup is paid for anyway.
    """
    named = find_named()
    if named is None:
        return Admission(is_open=True)
    clusters = find_clusters(wait)
    known = clusters and next((one for one in clusters.states if one.is_loaded), None)
    status = known.status if known else UNKNOWN
    if status in _CLOSED or status.startswith("incompatible-"):
        return Admission(is_open=False, reason=f"the cluster {named.identifier} is {status}.")
    if named.kind == "serverless" and not is_awake():
        # AWS does not tell whether a workgroup sleeps; to ask it is to wake it.
        return Admission(
            is_open=False,
            can_be_asked=True,
            reason=f"the workgroup {named.identifier} may be asleep, and a look would wake it, at a price.",
        )
    # Also where AWS does not answer: a paused cluster is not woken by a knock.
    return Admission(is_open=True)


def find_named(conn_id: str = CONN_ID) -> Named | None:
    """Return the cluster that a connection names, or None where it has an address only or is missing."""
    try:
        connection = Connection.get(conn_id)
    except AirflowNotFoundException:
        return None
    extra, host = connection.extra_dejson, connection.host or ""
    region = str(extra.get("region", ""))
    for kind, key, place in (
        ("provisioned", "cluster_identifier", ".redshift."),
        ("serverless", "serverless_work_group", ".redshift-serverless."),
    ):
        if name := extra.get(key) or (host.partition(".")[0] if place in host else ""):
            return Named(kind, str(name), region)
    return None


def find_region(named: Named | None) -> str:
    """Return the region of a cluster, or else of all that is ours; empty where nothing says."""
    return (named and named.region) or str(Variable.get("sparkify_region", default=""))


def _look() -> Clusters:
    named = find_named()
    problems: list[str] = []
    aws = Aws("aws_default", find_region(named), _PROMPT)
    found: list[ClusterState] = []
    for kind in LOOKS:
        found += _ask(partial(_find_ours, aws, kind, named), problems, may_deny=_is_other(kind, named))
    if named and not any(state.is_loaded for state in found):
        found += _ask(partial(_find_named_one, aws, named), problems) or [
            ClusterState(named.kind, named.identifier, UNKNOWN, is_loaded=True)
        ]
    states = tuple(sorted(found, key=lambda state: not state.is_loaded))
    return Clusters(states, named, tuple(dict.fromkeys(problems)), datetime.now(UTC))


def _find_ours(aws: Aws, kind: str, named: Named | None) -> list[ClusterState]:
    return [_describe(aws, kind, cluster, named) for cluster in LOOKS[kind].find_our_clusters(aws)]


def _find_named_one(aws: Aws, named: Named) -> list[ClusterState]:
    cluster = LOOKS[named.kind].find_cluster(aws, named.identifier)
    if cluster is None:
        return [ClusterState(named.kind, named.identifier, ABSENT, is_loaded=True)]
    return [_describe(aws, named.kind, cluster, named)]


def _is_other(kind: str, named: Named | None) -> bool:
    """Tell whether a kind is not that of the loads; who may not list clusters of it has made none."""
    return kind != (named.kind if named else "provisioned")


def _describe(aws: Aws, kind: str, cluster: Cluster, named: Named | None) -> ClusterState:
    costs = LOOKS[kind].describe_costs(aws, cluster, datetime.now(UTC))
    is_loaded = named is not None and (named.kind, named.identifier) == (kind, cluster.identifier)
    return ClusterState(kind, cluster.identifier, cluster.status, cluster, costs, is_loaded)


def _ask(
    question: Callable[[], list[ClusterState]], problems: list[str], *, may_deny: bool = False
) -> list[ClusterState]:
    """Return the answer, or nothing, with a note of what AWS said instead."""
    try:
        return question()
    except (BotoCoreError, ClientError) as error:
        denied = isinstance(error, ClientError) and code_of(error).startswith("AccessDenied")
        if not (denied and may_deny):
            problems.append(str(error))
        return []


_LOOKOUT = Lookout(_look, _SECONDS)
