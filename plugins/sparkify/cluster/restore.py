"""A restored cluster becomes ours by a mark that is set before it is there.

RestoreFromClusterSnapshot takes no tags, so between its call and the tagging after it the cluster looks like
anybody's. Therefore our IAM role, itself known by its tag, is marked beforehand. The mark holds for that one
restore: for a restored cluster of its name with this role, made within the hour after the mark.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sparkify.aws import Aws
from sparkify.cluster.plan import ClusterPlan, is_ours, tag_list
from sparkify.cluster.role import find_role

_MARK = "restoring-since"
_SKEW, _LONGEST = timedelta(minutes=5), timedelta(hours=1)


def announce_restore(aws: Aws, plan: ClusterPlan) -> None:
    """Mark the role, before the cluster is restored."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    aws.iam.tag_role(RoleName=plan.role_name, Tags=tag_list({_MARK: since}))


def end_restore(aws: Aws, plan: ClusterPlan) -> None:
    """Take the mark away, when the cluster has its own tags."""
    aws.iam.untag_role(RoleName=plan.role_name, TagKeys=[_MARK])


def is_restored_by_us(aws: Aws, plan: ClusterPlan, described: Any) -> bool:  # noqa: ANN401 - boto's cluster
    """Tell whether a cluster without tags is the one whose restore we announced."""
    if not described.get("RestoreStatus") or (role := find_role(aws, plan)) is None:
        return False
    tags = role.get("Tags", [])
    since = next((tag["Value"] for tag in tags if tag["Key"] == _MARK), None)
    attached = [entry["IamRoleArn"] for entry in described.get("IamRoles", [])]
    if since is None or not is_ours(tags) or role["Arn"] not in attached:
        return False
    began = datetime.fromisoformat(since)
    created: datetime = described.get("ClusterCreateTime") or datetime.now(UTC)
    return began - _SKEW <= created <= began + _LONGEST
