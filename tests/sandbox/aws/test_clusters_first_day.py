"""What two settings do: everybody's address, and the time until Redshift knows a new role."""

import pytest
from botocore.exceptions import ClientError

from sandbox.parts.settings import Settings, SettingsError
from tests.sandbox.aws.clusters import CLUSTER, World
from tests.sandbox.aws.networks import ELSEWHERE, HERE, admits, new_group, permission

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)


@pytest.fixture(scope="module")
def caller_address() -> str:
    return "10.7.0.1"


@pytest.fixture(scope="module")
def role_seconds() -> float:
    return 30


@pytest.fixture
def role(world: World) -> str:
    """A role just made."""
    iam = world.client("iam")
    yield iam.create_role(RoleName="young", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    iam.delete_role(RoleName="young")


def refused(call, **arguments) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidParameterValue"
    return error["Message"]


def test_the_caller_lives_where_the_setting_says(world: World):
    ec2 = world.client("ec2")
    assert admits(world, new_group(ec2, permission(ELSEWHERE)))
    assert not admits(world, new_group(ec2, permission(HERE)))


def test_create_cluster_refuses_a_role_just_made_and_takes_it_later(world: World, role: str):
    redshift = world.client("redshift")
    wanted = {"ClusterIdentifier": "with-young-role", "IamRoles": [role], **CLUSTER}
    said = refused(redshift.create_cluster, **wanted)
    assert said == (
        f"The IAM role {role} is not valid. The IAM role must delegate access to an Amazon Redshift account."
    )
    assert "with-young-role" not in [c["ClusterIdentifier"] for c in redshift.describe_clusters()["Clusters"]]
    world.time.pass_phase()
    assert redshift.create_cluster(**wanted)["Cluster"]["IamRoles"][0]["IamRoleArn"] == role


def test_modify_cluster_iam_roles_refuses_it_too(world: World):
    redshift, iam = world.client("redshift"), world.client("iam")
    name = world.create()
    role = iam.create_role(RoleName="younger", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    change = {"ClusterIdentifier": name, "AddIamRoles": [role]}
    assert "is not valid" in refused(redshift.modify_cluster_iam_roles, **change)
    assert world.status(name) == "available"
    world.time.pass_phase()
    redshift.modify_cluster_iam_roles(**change)
    world.time.pass_phase()
    redshift.modify_cluster_iam_roles(ClusterIdentifier=name, RemoveIamRoles=[role])


def test_restore_from_cluster_snapshot_refuses_it_too(world: World):
    redshift, iam = world.client("redshift"), world.client("iam")
    redshift.create_cluster_snapshot(SnapshotIdentifier="of-one", ClusterIdentifier=world.create())
    world.time.pass_phase()
    role = iam.create_role(RoleName="youngest", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    wanted = {"ClusterIdentifier": "restored", "SnapshotIdentifier": "of-one", "IamRoles": [role]}
    assert "is not valid" in refused(redshift.restore_from_cluster_snapshot, **wanted)
    world.time.pass_phase()
    redshift.restore_from_cluster_snapshot(**wanted)


def test_a_role_made_again_is_young_again(world: World, role: str):
    iam, redshift = world.client("iam"), world.client("redshift")
    world.time.pass_phase()
    iam.delete_role(RoleName="young")
    iam.create_role(RoleName="young", AssumeRolePolicyDocument="{}")
    assert "is not valid" in refused(
        redshift.create_cluster, ClusterIdentifier="again", IamRoles=[role], **CLUSTER
    )


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        *(("SANDBOX_CALLER_ADDRESS", text) for text in ("here", "172.31.0.0/16", "::1", "172.31.0.256")),
        *(("SANDBOX_ROLE_SECONDS", text) for text in ("soon", "-1", "3601")),
    ],
)
def test_a_setting_that_is_none_is_refused(monkeypatch, tmp_path, variable: str, text: str):
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError, match=f"{variable}={text!r} is no "):
        Settings.load()


def test_the_settings_reach_the_parts(monkeypatch, tmp_path):
    given = {"SANDBOX_CALLER_ADDRESS": "10.7.0.1", "SANDBOX_ROLE_SECONDS": "0.5"}
    for name, value in {"SANDBOX_HOME": str(tmp_path), **given}.items():
        monkeypatch.setenv(name, value)
    settings = Settings.load()
    assert (settings.caller_address, settings.role_seconds) == ("10.7.0.1", 0.5)
    assert given.items() <= settings.environment().items()
