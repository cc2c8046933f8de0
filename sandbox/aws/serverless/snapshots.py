"""What can be asked of snapshots, which hold no data here."""

from sandbox.aws.serverless.account import Account, page, require_new, require_quiet
from sandbox.aws.serverless.messages import Values, invalid
from sandbox.aws.serverless.resources import Namespace, Snapshot


def create_snapshot(account: Account, values: Values) -> Values:
    """Begin to make a snapshot of a namespace that has a workgroup.

    The words are those quoted in a pull request to AWS's guidance for game analytics; their code is not.
    """
    namespace = account.namespace(values["namespaceName"])
    if account.workgroup_of(namespace) is None:
        message = "You can't create a snapshot because there isn't a workgroup created for the namespace"
        raise invalid(message)
    require_quiet(namespace)
    made = make_snapshot(account, namespace, values["snapshotName"], values.get("retentionPeriod"))
    made.tags = {tag["key"]: tag["value"] for tag in values.get("tags", [])}
    return {"snapshot": made.describe()}


def get_snapshot(account: Account, values: Values) -> Values:
    """A snapshot."""
    arn = values.get("snapshotArn")
    name = next((one.name for one in account.snapshots.values() if one.arn == arn), "")
    return {"snapshot": account.snapshot(values.get("snapshotName") or name).describe()}


def list_snapshots(account: Account, values: Values) -> Values:
    """The snapshots, of a namespace if one is given."""
    wanted = {key: values[key] for key in ("namespaceName", "namespaceArn") if key in values}
    return page(
        "snapshots",
        [one for one in account.snapshots.values() if wanted.items() <= one.settings.items()],
        values,
    )


def delete_snapshot(account: Account, values: Values) -> Values:
    """Remove a snapshot that is complete."""
    found = account.snapshot(values["snapshotName"])
    require_quiet(found)
    del account.snapshots[found.name]
    return {"snapshot": {**found.describe(), "status": "DELETED"}}


def restore_from_snapshot(account: Account, values: Values) -> Values:
    """Begin to restore a namespace; here no data change."""
    namespace, group = account.namespace(values["namespaceName"]), account.workgroup(values["workgroupName"])
    if group.settings["namespaceName"] != namespace.name:
        raise invalid(f"The workgroup {group.name} is not that of the namespace {namespace.name}.")
    if ("snapshotName" in values) == ("snapshotArn" in values):  # API reference, RestoreFromSnapshot
        raise invalid("Exactly one of snapshotName and snapshotArn must be specified.")
    snapshot = get_snapshot(account, values)["snapshot"]
    require_quiet(namespace, group, account.snapshot(snapshot["snapshotName"]))
    namespace.begin(["MODIFYING"])
    group.begin(["MODIFYING"])
    return {"namespace": namespace.describe(), "snapshotName": snapshot["snapshotName"]}


def make_snapshot(account: Account, namespace: Namespace, name: str, days: int | None) -> Snapshot:
    """Begin to make a snapshot, whatever the namespace's status is; `days` None keeps it for ever."""
    require_new(name, account.snapshots, "snapshot")
    made = Snapshot(account.place, "snapshot", name, [])
    made.settings = {
        "namespaceName": namespace.name,
        "namespaceArn": namespace.arn,
        "adminUsername": namespace.settings.get("adminUsername"),
        "ownerAccount": account.place.account,
        "snapshotRetentionPeriod": -1 if days is None else days,
    }
    made.begin(["CREATING"])
    account.snapshots[name] = made
    return made
