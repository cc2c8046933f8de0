"""What can be asked of workgroups, and logins through them."""

import psycopg

from sandbox.aws.clusters.users import TakenError
from sandbox.aws.serverless import arguments
from sandbox.aws.serverless.account import Account, page, require_new, require_quiet
from sandbox.aws.serverless.messages import Values, invalid, refuse
from sandbox.aws.serverless.resources import Workgroup


def create_workgroup(account: Account, values: Values) -> Values:
    """Begin to make a workgroup; its namespace is busy until it is there.

    A namespace has one (Management Guide, "Workgroups and namespaces").
    """
    name = values["workgroupName"]
    arguments.check_workgroup(values)
    namespace = account.namespace(values["namespaceName"])
    require_new(name, account.workgroups, "workgroup")
    if (other := account.workgroup_of(namespace)) is not None:
        raise refuse("ConflictException", f"The namespace {namespace.name} has the workgroup {other.name}.")
    require_quiet(namespace)
    _check_network(account, values)
    made = Workgroup(account.place, "workgroup", name, values.get("tags", []))
    made.settings = {key: value for key, value in values.items() if key not in ("workgroupName", "tags")}
    made.begin(["CREATING"])
    namespace.begin(["MODIFYING"])
    account.workgroups[name] = made
    return {"workgroup": made.describe()}


def get_workgroup(account: Account, values: Values) -> Values:
    """A workgroup."""
    return {"workgroup": account.workgroup(values["workgroupName"]).describe()}


def list_workgroups(account: Account, values: Values) -> Values:
    """All workgroups."""
    return page("workgroups", list(account.workgroups.values()), values)


def update_workgroup(account: Account, values: Values) -> Values:
    """Begin to change one setting of a workgroup."""
    found = account.workgroup(values["workgroupName"])
    arguments.check_one_change(values)
    changed = {**found.settings, **values}
    arguments.check_workgroup(changed)
    require_quiet(found, account.namespace(found.settings["namespaceName"]))
    _check_network(account, values)
    found.settings = {key: value for key, value in changed.items() if key != "workgroupName"}
    found.begin(["MODIFYING"])
    return {"workgroup": found.describe()}


def delete_workgroup(account: Account, values: Values) -> Values:
    """Begin to delete a workgroup; its namespace is busy until it is gone, and stays."""
    found = account.workgroup(values["workgroupName"])
    namespace = account.namespace(found.settings["namespaceName"])
    require_quiet(found, namespace)
    found.begin(["DELETING"], None)
    namespace.begin(["MODIFYING"])
    return {"workgroup": found.describe()}


def get_credentials(account: Account, values: Values, caller: str) -> Values:
    """A temporary password for the database user of the caller's identity.

    Args:
        account: The region.
        values: The parameters.
        caller: The caller's ARN, as GetCallerIdentity tells it.
    """
    if "workgroupName" not in values:
        raise invalid("The workgroup name must be included: there are no custom domain names here.")
    found = account.workgroup(values["workgroupName"])
    if found.status not in {"AVAILABLE", "MODIFYING"}:  # UNCONFIRMED, and the code, too
        raise invalid(f"The workgroup {found.name} is {found.status}.")
    if "dbName" in values:
        arguments.check_database(values["dbName"])
    seconds = values.get("durationSeconds", 900)
    if not 900 <= seconds <= 3600:
        raise invalid("durationSeconds must be between 900 and 3600.")
    user = database_user(caller)
    try:
        password, end = account.users.issue_own(user, seconds)
    except TakenError as error:
        raise invalid(str(error)) from error
    except psycopg.OperationalError as error:
        raise refuse("InternalServerException", "PostgreSQL is down.") from error
    return {"dbUser": user, "dbPassword": password, "expiration": end, "nextRefreshTime": end}


def database_user(arn: str) -> str:
    """The database user of an IAM identity: ``IAM:<user>`` or ``IAMR:<role>``.

    Data API reference, BatchExecuteStatement: arn:iam::123456789012:user:foo is IAM:foo. Amazon Bedrock
    guide, knowledge bases of structured data: a role is IAMR:<role>, made without rights when it first comes.
    """
    kind, *names = arn.rpartition(":")[2].split("/")
    return f"IAMR:{names[0]}" if kind == "assumed-role" else f"IAM:{names[-1] if names else kind}"


def _check_network(account: Account, values: Values) -> None:
    """Refuse security groups and subnets that do not exist, or are too few.

    UNCONFIRMED: that without subnets those of the default VPC are taken.
    """
    for group_id in values.get("securityGroupIds", []):
        if account.network.get_security_group_from_id(group_id) is None:
            raise invalid(f"The security group {group_id} does not exist.")
    if "subnetIds" in values:
        subnets = {one.id: one for one in account.network.describe_subnets()}
        missing = [one for one in values["subnetIds"] if one not in subnets]
        if missing:
            raise invalid(f"The subnet {missing[0]} does not exist.")
        arguments.check_subnets([subnets[one].availability_zone for one in values["subnetIds"]])
