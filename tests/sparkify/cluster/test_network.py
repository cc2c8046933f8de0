"""The network of a cluster: whom its security group admits, and roles that Redshift does not know yet."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sparkify.aws import NotYet
from sparkify.cluster.life import make_cluster
from sparkify.cluster.network import describe_admission, make_network
from sparkify.cluster.plan import ClusterPlan, PlanError
from sparkify.failures import FatalError
from tests.sandbox.aws.clusters import World
from tests.sandbox.aws.networks import answers, permission, port_of
from tests.sparkify.cluster.steps import MAKE, PLAN, do, provision, tear_down

pytest_plugins = ("tests.sparkify.cluster.steps",)

BY_DEFAULT = dataclasses.replace(PLAN, allowed_cidr="")


@pytest.fixture(scope="module")
def role_seconds() -> float:
    return 30


def group_of(world: World) -> Any:
    groups = world.client("ec2").describe_security_groups()["SecurityGroups"]
    return next(group for group in groups if group["GroupName"] == "steps-redshift")


def admitted(world: World) -> list[str]:
    """The networks of the one rule that there may be."""
    [rule] = group_of(world)["IpPermissions"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 5439, 5439)
    return sorted(entry["CidrIp"] for entry in rule["IpRanges"])


class TestAllowedCidr:
    def test_by_default_who_lives_in_the_vpc_reaches_the_cluster_and_by_another_network_not(self, world, aws):
        did = provision(world, aws, BY_DEFAULT)
        assert "opens port 5439 to 172.31.0.0/16;" in " ".join(did)
        port = port_of(world.client("redshift"), "steps")
        assert answers(port)
        do(world, aws, make_network, plan=dataclasses.replace(PLAN, allowed_cidr="10.0.0.0/8"))
        assert not answers(port)
        do(world, aws, make_network, plan=BY_DEFAULT)
        assert answers(port)

    def test_by_default_every_network_that_the_vpc_has_is_open(self, world, aws):
        ec2 = world.client("ec2")
        vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
        more = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="100.64.0.0/16")["CidrBlockAssociation"]
        do(world, aws, make_network, plan=BY_DEFAULT)
        assert admitted(world) == ["100.64.0.0/16", "172.31.0.0/16"]
        ec2.disassociate_vpc_cidr_block(AssociationId=more["AssociationId"])
        do(world, aws, make_network, plan=BY_DEFAULT)
        assert admitted(world) == ["172.31.0.0/16"]

    def test_a_network_of_the_vpc_that_is_public_is_opened_only_when_that_is_said(self, world, aws):
        ec2 = world.client("ec2")
        vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
        more = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="198.51.100.0/24")["CidrBlockAssociation"]
        try:
            with pytest.raises(PlanError, match=r"198\.51\.100\.0/24 is on the internet.* allow_public_cidr"):
                make_network(aws, BY_DEFAULT)
            make_network(aws, dataclasses.replace(BY_DEFAULT, allow_public_cidr=True))
            assert admitted(world) == ["172.31.0.0/16", "198.51.100.0/24"]
        finally:
            ec2.disassociate_vpc_cidr_block(AssociationId=more["AssociationId"])

    def test_of_earlier_rules_and_those_made_by_hand_none_stays(self, world, aws):
        make_network(aws, PLAN)
        group = group_of(world)["GroupId"]
        extra = [permission("192.168.0.0/24"), permission("0.0.0.0/0", 22, 22)]
        world.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=extra)
        make_network(aws, dataclasses.replace(PLAN, allowed_cidr="10.7.0.0/24"))
        assert admitted(world) == ["10.7.0.0/24"]

    def test_a_network_that_is_open_already_is_not_touched(self, world, aws, faults):
        make_network(aws, BY_DEFAULT)
        faults.forget_calls()
        make_network(aws, BY_DEFAULT)
        assert not {"ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"} & set(
            faults.actions()
        )

    @pytest.mark.parametrize(
        "cidr", ["10.0.0.0/8", "172.16.0.0/12", "172.31.4.0/24", "192.168.1.7/32", "100.64.0.0/10"]
    )
    def test_private_networks_may_be_named(self, cidr):
        assert dataclasses.replace(PLAN, allowed_cidr=cidr).allowed_cidr == cidr

    @pytest.mark.parametrize("cidr", ["203.0.113.0/24", "8.8.8.8/32", "172.32.0.0/16", "192.0.0.0/8"])
    def test_public_ones_only_when_that_is_said(self, cidr):
        with pytest.raises(PlanError, match=r"allowed_cidr .* is on the internet.* set allow_public_cidr"):
            dataclasses.replace(PLAN, allowed_cidr=cidr)
        dataclasses.replace(PLAN, allowed_cidr=cidr, allow_public_cidr=True)

    @pytest.mark.parametrize("cidr", ["0.0.0.0/0", "10.0.0.0/7", "0.0.0.0/1"])
    def test_everybody_is_never_admitted(self, cidr):
        for allow in (False, True):
            with pytest.raises(PlanError, match=r"allowed_cidr .* opens the warehouse to the world"):
                dataclasses.replace(PLAN, allowed_cidr=cidr, allow_public_cidr=allow)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("10.1.2.3/16", "Did you mean 10.1.0.0/16?"),
            ("10.1.2.3", "Did you mean 10.1.2.3/32?"),
            ("10.1.0.0/255.255.0.0", "Did you mean 10.1.0.0/16?"),
            ("10.1.0.0/33", "no IPv4 network"),
            ("here", "no IPv4 network"),
            ("10.1.0.0/16, 10.2.0.0/16", "It is one"),
            ("['10.1.0.0/16']", "It is one"),
            ("::/0", "no IPv6 address"),
            ("fd00::/8", "no IPv6 address"),
        ],
    )
    def test_what_is_no_ipv4_network_is_named_with_what_to_write(self, text, words):
        with pytest.raises(PlanError) as refused:
            ClusterPlan.of({**dataclasses.asdict(PLAN), "allowed_cidr": text})
        assert str(refused.value).startswith(f"allowed_cidr {text!r} is no ")
        assert words in str(refused.value)


class TestYoungRole:
    def test_is_waited_for(self, world, aws, faults):
        do(world, aws, *MAKE[:-1])
        faults.forget_calls()
        with pytest.raises(NotYet, match="does not know the new IAM role steps-cluster yet"):
            make_cluster(aws, PLAN)
        world.time.pass_phase()
        assert "is being made" in make_cluster(aws, PLAN)
        assert [call.action for call in faults.calls("redshift")].count("CreateCluster") == 2

    def test_is_waited_for_by_a_restore_too(self, world, aws, faults):
        provision(world, aws)
        tear_down(world, aws, dataclasses.replace(PLAN, final_snapshot=True))
        restoring = dataclasses.replace(PLAN, from_snapshot=True)
        do(world, aws, *MAKE[:-1])
        with pytest.raises(NotYet, match="does not know the new IAM role"):
            make_cluster(aws, restoring)
        world.time.pass_phase()
        assert "is being made from snapshot" in make_cluster(aws, restoring)

    def test_is_not_waited_for_when_it_is_old(self, world, aws, faults):
        from moto.iam.models import iam_backends

        do(world, aws, *MAKE[:-1])
        roles = iam_backends["123456789012"]["aws"].roles.values()
        next(role for role in roles if role.name == "steps-cluster").create_date -= timedelta(days=2)
        words = "The IAM role steps-cluster is not valid."
        faults.error("redshift", "CreateCluster", "InvalidParameterValue", message=words, status=400)
        with pytest.raises(
            FatalError, match=r"too old to be unknown.*is not valid.*trust policy.*Remove the role"
        ):
            make_cluster(aws, PLAN)

    def test_another_invalid_value_is_no_reason_to_wait(self, world, aws, faults):
        do(world, aws, *MAKE[:-1])
        words = "Invalid node type: ra3.large"
        faults.error("redshift", "CreateCluster", "InvalidParameterValue", message=words, status=400)
        with pytest.raises(ClientError, match=words):
            make_cluster(aws, PLAN)


class TestAdmission:
    def test_names_state_groups_ports_and_networks(self, world, aws):
        provision(world, aws, dataclasses.replace(PLAN, allowed_cidr="10.7.0.0/24"))
        group = group_of(world)["GroupId"]
        said = f"It is available; its security group steps-redshift ({group}) admits "
        assert describe_admission(aws, "steps") == f"{said}10.7.0.0/24 on port 5439."
        ec2 = world.client("ec2")
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[permission("10.7.0.0/24")])
        assert describe_admission(aws, "steps") == f"{said}nobody."
        rules = [
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]},
            permission("10.8.0.0/16", 5000, 6000),
        ]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
        words = describe_admission(aws, "steps")
        assert f"members of {group} on every port" in words
        assert "10.8.0.0/16 on ports 5000 to 6000" in words

    def test_says_when_there_is_no_such_cluster(self, world, aws):
        assert describe_admission(aws, "nobodys") == "There is no cluster nobodys."
