"""What can be asked of namespaces, and the tags of every resource."""

from sandbox.aws.clusters import master_secrets
from sandbox.aws.clusters.users import random_password
from sandbox.aws.serverless import arguments
from sandbox.aws.serverless.account import Account, page, require_new, require_quiet
from sandbox.aws.serverless.messages import Values, invalid, refuse
from sandbox.aws.serverless.resources import Namespace
from sandbox.aws.serverless.snapshots import make_snapshot

# What a namespace does not show as it was given.
_HIDDEN = {"namespaceName", "tags", "adminUserPassword", "manageAdminPassword"}
_TAGS = 50  # of a resource; Management Guide, "Tag resources"


def create_namespace(account: Account, values: Values) -> Values:
    """Begin to make a namespace.

    Its model has no status for one that is being made. UNCONFIRMED: it is MODIFYING for a while, as
    AWS's own CloudFormation handlers wait for AVAILABLE before they make a workgroup.
    """
    name = values["namespaceName"]
    arguments.check_namespace(values)
    require_new(name, account.namespaces, "namespace")
    account.check_roles(values.get("iamRoles", []))
    made = Namespace(account.place, "namespace", name, values.get("tags", []))
    made.settings = {key: value for key, value in values.items() if key not in _HIDDEN}
    _make_admin(account, made, values)
    made.begin(["MODIFYING"])
    account.namespaces[name] = made
    return {"namespace": made.describe()}


def get_namespace(account: Account, values: Values) -> Values:
    """A namespace."""
    return {"namespace": account.namespace(values["namespaceName"]).describe()}


def list_namespaces(account: Account, values: Values) -> Values:
    """All namespaces."""
    return page("namespaces", list(account.namespaces.values()), values)


def update_namespace(account: Account, values: Values) -> Values:
    """Begin to change a namespace: its administrator, or its roles."""
    found = account.namespace(values["namespaceName"])
    changes = {key: value for key, value in values.items() if key not in _HIDDEN}
    arguments.check_namespace(values)
    require_quiet(found)
    is_admin = bool(values.keys() & {"adminUserPassword", "manageAdminPassword"})
    groups = is_admin, bool(changes.keys() & {"iamRoles", "defaultIamRoleArn"}), "logExports" in changes
    if sum(groups) > 1:  # API reference, UpdateNamespace
        raise invalid("You can't update multiple parameters in one request.")
    account.check_roles(values.get("iamRoles", []))
    found.settings |= changes
    _make_admin(account, found, values)
    found.begin(["MODIFYING"])
    return {"namespace": found.describe()}


def delete_namespace(account: Account, values: Values) -> Values:
    """Begin to delete a namespace, with a final snapshot if one is named.

    UNCONFIRMED: that one with a workgroup is refused. Everybody's scripts delete the workgroup first.
    """
    found = account.namespace(values["namespaceName"])
    require_quiet(found)
    if (group := account.workgroup_of(found)) is not None:
        raise refuse("ConflictException", f"The namespace {found.name} has the workgroup {group.name}.")
    if name := values.get("finalSnapshotName"):
        make_snapshot(account, found, name, values.get("finalSnapshotRetentionPeriod"))
    found.begin(["DELETING"], None)
    return {"namespace": found.describe()}


def tag_resource(account: Account, values: Values) -> Values:
    """Give a resource tags; those of the same keys are replaced."""
    found = account.by_arn(values["resourceArn"])
    tags = found.tags | {tag["key"]: tag["value"] for tag in values["tags"]}
    if len(tags) > _TAGS:
        raise refuse("TooManyTagsException", f"A resource has at most {_TAGS} tags.")
    found.tags = tags
    return {}


def untag_resource(account: Account, values: Values) -> Values:
    """Take tags from a resource."""
    found = account.by_arn(values["resourceArn"])
    found.tags = {key: value for key, value in found.tags.items() if key not in values["tagKeys"]}
    return {}


def list_tags_for_resource(account: Account, values: Values) -> Values:
    """The tags of a resource."""
    tags = account.by_arn(values["resourceArn"]).tags
    return {"tags": [{"key": key, "value": value} for key, value in tags.items()]}


def _make_admin(account: Account, namespace: Namespace, values: Values) -> None:
    """Let the administrator in, and keep the password that Redshift is to manage."""
    password, user = values.get("adminUserPassword"), values.get("adminUsername")
    if not user:
        return
    master_secrets.drop(account.secrets, namespace.settings.pop("adminPasswordSecretArn", None))
    if values.get("manageAdminPassword"):
        password = random_password()
        namespace.settings["adminPasswordSecretArn"] = master_secrets.keep(
            account.secrets,
            namespace.name,
            (user, password),
            # The tag by which Redshift's service-linked role knows its secrets (Management Guide).
            {"aws:secretsmanager:owningService": "redshift"},
            values.get("adminPasswordSecretKmsKeyId"),
        )
    account.users.make_master_if_up(user, str(password))
