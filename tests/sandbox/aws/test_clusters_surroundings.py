"""What belongs to a cluster and lies outside of it: network, roles, the secret of a managed password."""

import json
import re
import uuid

from tests.sandbox.aws.clusters import World, code_of

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)


def new_subnet_group(world: World) -> str:
    ec2, name = world.client("ec2"), f"g-{uuid.uuid4().hex[:8]}"
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    world.client("redshift").create_cluster_subnet_group(
        ClusterSubnetGroupName=name, Description="test", SubnetIds=[subnet]
    )
    return name


def new_security_group(world: World) -> str:
    ec2, name = world.client("ec2"), f"sg-{uuid.uuid4().hex[:8]}"
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    return ec2.create_security_group(GroupName=name, Description="test", VpcId=vpc)["GroupId"]


def test_a_subnet_group_is_deleted_only_when_its_cluster_is_gone(world: World):
    group, redshift = new_subnet_group(world), world.client("redshift")
    delete = {"ClusterSubnetGroupName": group}
    name = world.create("deleting", ClusterSubnetGroupName=group)
    refused = code_of(redshift.delete_cluster_subnet_group, **delete)
    assert refused == "InvalidClusterSubnetGroupStateFault"
    world.time.pass_phase()
    assert code_of(redshift.describe_clusters, ClusterIdentifier=name) == "ClusterNotFound"
    redshift.delete_cluster_subnet_group(**delete)
    assert code_of(redshift.delete_cluster_subnet_group, **delete) == "ClusterSubnetGroupNotFoundFault"


def test_a_security_group_is_deleted_only_when_its_cluster_is_gone(world: World):
    group, ec2 = new_security_group(world), world.client("ec2")
    world.create("deleting", VpcSecurityGroupIds=[group])
    assert code_of(ec2.delete_security_group, GroupId=group) == "DependencyViolation"
    world.time.pass_phase()
    ec2.delete_security_group(GroupId=group)  # no call to Redshift was needed to let the cluster end
    assert code_of(ec2.delete_security_group, GroupId=group) == "InvalidGroup.NotFound"


def test_a_security_group_a_cluster_has_left_can_be_deleted(world: World):
    old, new = new_security_group(world), new_security_group(world)
    name = world.create(VpcSecurityGroupIds=[old])
    world.client("redshift").modify_cluster(ClusterIdentifier=name, VpcSecurityGroupIds=[new])
    ec2 = world.client("ec2")
    ec2.delete_security_group(GroupId=old)
    assert code_of(ec2.delete_security_group, GroupId=new) == "DependencyViolation"


def test_a_role_can_be_deleted_while_a_cluster_has_it(world: World):
    iam = world.client("iam")
    role = iam.create_role(RoleName="passing", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    world.create(IamRoles=[role])
    iam.delete_role(RoleName="passing")


def test_a_managed_password_is_a_secret_while_the_cluster_exists(world: World):
    redshift, secrets = world.client("redshift"), world.client("secretsmanager")
    name = world.create("creating", MasterUserPassword="", ManageMasterPassword=True)
    arn = redshift.describe_clusters(ClusterIdentifier=name)["Clusters"][0]["MasterPasswordSecretArn"]
    assert f":secret:redshift!{name}-sparkify-" in arn
    secret = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    assert secret["username"] == "sparkify"
    assert re.fullmatch(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])\w{8,64}", secret["password"])
    world.time.pass_phase()
    redshift.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)
    secrets.describe_secret(SecretId=arn)
    world.time.pass_phase()
    assert code_of(secrets.describe_secret, SecretId=arn) == "ResourceNotFoundException"


def test_a_password_of_ones_own_ends_the_management(world: World):
    redshift, secrets = world.client("redshift"), world.client("secretsmanager")
    name = world.create(MasterUserPassword="", ManageMasterPassword=True)
    arn = redshift.describe_clusters(ClusterIdentifier=name)["Clusters"][0]["MasterPasswordSecretArn"]
    changed = redshift.modify_cluster(ClusterIdentifier=name, MasterUserPassword="Sparkify2")["Cluster"]
    assert "MasterPasswordSecretArn" not in changed
    assert code_of(secrets.describe_secret, SecretId=arn) == "ResourceNotFoundException"


def test_a_password_can_be_managed_from_later_on(world: World):
    redshift = world.client("redshift")
    name = world.create()
    changed = redshift.modify_cluster(ClusterIdentifier=name, ManageMasterPassword=True)["Cluster"]
    assert changed["MasterPasswordSecretArn"]
