"""What CreateCluster and its relatives do not accept."""

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.clusters import CLUSTER, World, code_of

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)

ROLE = "arn:aws:iam::123456789012:role/sparkify-redshift"
MULTI = {"ClusterType": "multi-node"}
VALUE, COMBINATION = "InvalidParameterValue", "InvalidParameterCombination"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ClusterIdentifier": "Upper"}, VALUE),
        ({"ClusterIdentifier": "1st"}, VALUE),
        ({"ClusterIdentifier": "double--hyphen"}, VALUE),
        ({"ClusterIdentifier": "end-"}, VALUE),
        ({"ClusterIdentifier": "a" * 64}, VALUE),
        ({"MasterUsername": "Admin"}, VALUE),
        ({"MasterUsername": "public"}, VALUE),
        ({"MasterUsername": "rdsdb"}, VALUE),
        ({"MasterUsername": "pg_admin"}, VALUE),
        ({"MasterUsername": "a:b"}, VALUE),
        ({"DBName": "Dev"}, VALUE),
        ({"MasterUserPassword": "Short1a"}, VALUE),
        ({"MasterUserPassword": "Aa1" * 22}, VALUE),
        ({"MasterUserPassword": "lowercase1"}, VALUE),
        ({"MasterUserPassword": "UPPERCASE1"}, VALUE),
        ({"MasterUserPassword": "NoDigitHere"}, VALUE),
        *(({"MasterUserPassword": f"Sparkify1{sign}"}, VALUE) for sign in "'\"\\/@ ä"),
        ({"ManageMasterPassword": True}, COMBINATION),
        ({"MasterUserPassword": None}, COMBINATION),
        ({"MasterPasswordSecretKmsKeyId": "key"}, COMBINATION),
        ({"Encrypted": False}, VALUE),
        ({"NodeType": "ra9.huge"}, VALUE),
        ({"ClusterType": "triple-node"}, VALUE),
        ({"ClusterType": None}, COMBINATION),
        ({**MULTI, "NumberOfNodes": 1}, COMBINATION),
        ({**MULTI, "NumberOfNodes": 17}, VALUE),
        ({"NumberOfNodes": 2}, COMBINATION),
        ({"NodeType": "ra3.4xlarge"}, VALUE),
        ({"Port": 5430}, VALUE),
        ({"Port": 8216}, VALUE),
        ({"AutomatedSnapshotRetentionPeriod": 0}, VALUE),
        ({"AutomatedSnapshotRetentionPeriod": 36}, VALUE),
        ({"ClusterSubnetGroupName": "nowhere"}, "ClusterSubnetGroupNotFoundFault"),
        ({"VpcSecurityGroupIds": ["sg-00000000000000000"]}, "InvalidVPCNetworkStateFault"),
        ({"IamRoles": ["sparkify-redshift"]}, VALUE),
        ({"IamRoles": [f"{ROLE}-missing"]}, VALUE),
        ({"DefaultIamRoleArn": ROLE}, VALUE),
        ({"IamRoles": [ROLE], "DefaultIamRoleArn": f"{ROLE}-other"}, VALUE),
    ],
)
def test_a_cluster_is_not_created_from_what_aws_refuses(world: World, changes: dict, code: str):
    redshift = world.client("redshift")
    given = {"ClusterIdentifier": "refused", **CLUSTER, **changes}
    present = {name: value for name, value in given.items() if value is not None}
    assert code_of(redshift.create_cluster, **present) == code
    assert code_of(redshift.describe_clusters, ClusterIdentifier="refused") == "ClusterNotFound"


@pytest.mark.parametrize(
    "changes",
    [
        {**MULTI, "NumberOfNodes": 2},
        {"NodeType": "dc2.large", "Port": 1150, "AutomatedSnapshotRetentionPeriod": 0},
        {"Port": 5455},
        {"Port": 8191},
        {"MasterUserPassword": "!#$%&()*+,-.:;<=>?[]^_`{|}~Aa1"},
        {"MasterUsername": "admin.user+1@x"},
        {"Encrypted": True},
        {"IamRoles": [ROLE], "DefaultIamRoleArn": ROLE},
        {"AutomatedSnapshotRetentionPeriod": 35},
    ],
)
def test_a_cluster_is_created_from_what_aws_accepts(world: World, changes: dict):
    name = world.create(**changes)
    cluster = world.client("redshift").describe_clusters(ClusterIdentifier=name)["Clusters"][0]
    assert cluster.get("DefaultIamRoleArn") == changes.get("DefaultIamRoleArn")
    assert [role["IamRoleArn"] for role in cluster["IamRoles"]] == changes.get("IamRoles", [])
    assert cluster["NumberOfNodes"] == changes.get("NumberOfNodes", 1)


def test_a_refused_password_is_not_repeated(world: World):
    with pytest.raises(ClientError) as caught:
        world.client("redshift").create_cluster(
            ClusterIdentifier="secret", **{**CLUSTER, "MasterUserPassword": "Secret word 1"}
        )
    assert "Secret word" not in str(caught.value)


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        ({}, COMBINATION),
        ({"SkipFinalClusterSnapshot": False}, COMBINATION),
        ({"SkipFinalClusterSnapshot": True, "FinalClusterSnapshotIdentifier": "end"}, COMBINATION),
        ({"FinalClusterSnapshotIdentifier": "double--hyphen"}, VALUE),
    ],
)
def test_a_deletion_says_what_becomes_of_the_data(world: World, choice: dict, code: str):
    name = world.create()
    assert code_of(world.client("redshift").delete_cluster, ClusterIdentifier=name, **choice) == code
    assert world.status(name) == "available"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Encrypted": False}, VALUE),
        ({"MasterUserPassword": "short"}, VALUE),
        ({"MasterUserPassword": "Sparkify2", "ManageMasterPassword": True}, COMBINATION),
        ({"VpcSecurityGroupIds": ["sg-00000000000000000"]}, "InvalidVPCNetworkStateFault"),
        ({"NewClusterIdentifier": "Upper"}, VALUE),
    ],
)
def test_a_cluster_is_not_modified_to_what_aws_refuses(world: World, changes: dict, code: str):
    name = world.create()
    assert code_of(world.client("redshift").modify_cluster, ClusterIdentifier=name, **changes) == code
    assert world.status(name) == "available"


def test_roles_are_attached_and_detached(world: World):
    name, redshift = world.create(), world.client("redshift")
    change = redshift.modify_cluster_iam_roles
    assert code_of(change, ClusterIdentifier=name, DefaultIamRoleArn=ROLE) == VALUE
    assert code_of(change, ClusterIdentifier=name, AddIamRoles=[f"{ROLE}-missing"]) == VALUE
    changed = change(ClusterIdentifier=name, AddIamRoles=[ROLE], DefaultIamRoleArn=ROLE)["Cluster"]
    assert (changed["ClusterStatus"], changed["DefaultIamRoleArn"]) == ("modifying", ROLE)
    world.time.pass_phase()
    changed = change(ClusterIdentifier=name, RemoveIamRoles=[ROLE])["Cluster"]
    assert changed["IamRoles"] == []
    assert "DefaultIamRoleArn" not in changed


@pytest.mark.parametrize("seconds", [899, 3601])
def test_a_temporary_password_lasts_from_a_quarter_to_a_whole_hour(world: World, seconds: int):
    name = world.create()
    call = world.client("redshift").get_cluster_credentials
    given = {"ClusterIdentifier": name, "DbUser": "sparkify", "DurationSeconds": seconds}
    assert code_of(call, **given) == VALUE


@pytest.mark.parametrize("user", ["rdsdb", "pg_monitor", "IAM:sparkify", "Upper"])
def test_nobody_gets_a_password_for_the_warehouses_own_users(world: World, user: str):
    name = world.create()
    call = world.client("redshift").get_cluster_credentials
    assert code_of(call, ClusterIdentifier=name, DbUser=user, AutoCreate=True) == VALUE


def test_without_a_warehouse_passwords_are_refused_with_the_reason(world: World):
    name = world.create()
    call = world.client("redshift").get_cluster_credentials
    with pytest.raises(ClientError, match="PostgreSQL is down"):
        call(ClusterIdentifier=name, DbUser="sparkify")
