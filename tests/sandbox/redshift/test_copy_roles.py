"""Which users may COPY with a role of their cluster: those that its trust policy names."""

import json
import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest

from sandbox.parts.settings import Settings
from tests.sandbox.aws.client import client
from tests.sandbox.aws.clusters import CLUSTER
from tests.sandbox.redshift.endpoint_clients import Client, connect_psycopg, connect_redshift

pytest_plugins = ("tests.sandbox.redshift.copy_fixtures",)

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def cluster(sandbox: Settings) -> Iterator[str]:
    """An available cluster with a role of its own, its default."""
    name = f"c-{uuid.uuid4().hex[:8]}"
    redshift, iam = client(sandbox, "redshift"), client(sandbox, "iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    reads = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket", "s3:GetBucketLocation"],
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=policy)
    roles = {"IamRoles": [role], "DefaultIamRoleArn": role}
    redshift.create_cluster(ClusterIdentifier=name, **CLUSTER, **roles)
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier=name, WaiterConfig={"Delay": 1})
    yield name
    redshift.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)
    redshift.get_waiter("cluster_deleted").wait(ClusterIdentifier=name, WaiterConfig={"Delay": 1})


def trust(condition: dict | None = None, effect: str = "Allow", **changes) -> str:
    statement = {
        "Effect": effect,
        "Principal": {"Service": "redshift.amazonaws.com"},
        "Action": "sts:AssumeRole",
        **({"Condition": condition} if condition else {}),
        **changes,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def dbuser(cluster: str, user: str) -> str:
    return f"arn:aws:redshift:us-east-1:{ACCOUNT}:dbuser:{cluster}/{user}"


def copies(sandbox: Settings, user: str, role: str, address: str) -> str:
    """COPY one row as a user; the error, or an empty text."""
    with connect_psycopg(sandbox, user=user) as connection:
        session = Client(connection)
        session.run("CREATE TEMP TABLE t (a INTEGER)")
        statement = f"COPY t FROM '{address}' IAM_ROLE {role} JSON 'auto'"
        try:
            session.run(statement)
        except Exception as error:
            return str(error)
        assert session.run("SELECT a FROM t") == [(7,)]
        return ""


@pytest.fixture
def address(put) -> str:
    return put(**{"one.json": '{"a": 7}'})


def set_trust(sandbox: Settings, cluster: str, document: str) -> None:
    client(sandbox, "iam").update_assume_role_policy(RoleName=cluster, PolicyDocument=document)


@pytest.mark.parametrize("form", ["default", "'arn:aws:iam::{account}:role/{cluster}'"])
def test_only_the_user_whom_the_role_names_copies_with_it(sandbox, cluster, address, form):
    role = form.format(account=ACCOUNT, cluster=cluster)
    set_trust(sandbox, cluster, trust({"StringEquals": {"sts:ExternalId": dbuser(cluster, sandbox.loader)}}))
    assert copies(sandbox, sandbox.loader, role, address) == ""
    said = copies(sandbox, sandbox.user, role, address)
    arn = f"arn:aws:iam::{ACCOUNT}:role/{cluster}"
    assert f"User {dbuser(cluster, sandbox.user)} is not authorized to assume IAM Role {arn}" in said
    assert "code:      8001" in said


TRUSTS = {
    "no condition": (trust(), True),
    "one of several users": (trust({"StringEquals": {"sts:ExternalId": ["x", "LOADER"]}}), True),
    "a pattern": (trust({"StringLike": {"sts:ExternalId": "arn:aws:redshift:*/loader"}}), True),
    "another cluster's user": (
        trust({"StringEquals": {"sts:ExternalId": dbuser("another", "loader")}}),
        False,
    ),
    "another condition": (trust({"StringEquals": {"aws:SourceAccount": ACCOUNT}}), False),
    "another service": (trust(Principal={"Service": "ec2.amazonaws.com"}), False),
    "a denial": (trust(effect="Deny"), False),
}


@pytest.mark.parametrize("name", TRUSTS)
def test_the_trust_policy_is_read_as_iam_reads_it(sandbox, cluster, address, name):
    document, admits = TRUSTS[name]
    set_trust(sandbox, cluster, document.replace("LOADER", dbuser(cluster, sandbox.loader)))
    assert (copies(sandbox, sandbox.loader, "default", address) == "") is admits


def test_redshift_connector_gets_the_refusal_as_an_internal_error(sandbox, cluster, address):
    set_trust(sandbox, cluster, trust({"StringEquals": {"sts:ExternalId": dbuser(cluster, sandbox.loader)}}))
    with closing(connect_redshift(sandbox)) as connection:
        session = Client(connection)
        session.run("CREATE TEMP TABLE t (a INTEGER)")
        state, said = session.fail(f"COPY t FROM '{address}' IAM_ROLE default JSON 'auto'")
    assert (state, "is not authorized to assume IAM Role" in said) == ("XX000", True)


def test_asking_who_may_take_a_role_is_no_call_of_the_account(sandbox, cluster, address):
    from tests.sandbox.aws.faults import aws_faults

    set_trust(sandbox, cluster, trust())
    with aws_faults(sandbox) as journal:
        assert copies(sandbox, sandbox.loader, "default", address) == ""
        assert journal.actions("iam", "sts", "redshift") == []
