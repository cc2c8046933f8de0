"""Security groups for the tests of clusters, and whether a cluster answers."""

import socket
import uuid

from tests.sandbox.aws.clusters import World

HERE = "172.31.0.0/16"
ELSEWHERE = "10.0.0.0/8"


def permission(cidr: str, *ports: int, protocol: str = "tcp") -> dict:
    first, last = ports or (5439, 5439)
    return {"IpProtocol": protocol, "FromPort": first, "ToPort": last, "IpRanges": [{"CidrIp": cidr}]}


def new_group(ec2, *rules: dict) -> str:
    made = ec2.create_security_group(GroupName=f"sg-{uuid.uuid4().hex[:8]}", Description="test")
    if rules:
        ec2.authorize_security_group_ingress(GroupId=made["GroupId"], IpPermissions=list(rules))
    return made["GroupId"]


def port_of(redshift, name: str) -> int:
    return redshift.describe_clusters(ClusterIdentifier=name)["Clusters"][0]["Endpoint"]["Port"]


def answers(port: int) -> bool:
    """Whether a connection is made; anything but silence otherwise fails."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.4).close()
    except TimeoutError:
        return False
    return True


def admits(world: World, *groups: str, **more: object) -> bool:
    """Whether a new cluster in these groups answers."""
    name = world.create(VpcSecurityGroupIds=list(groups), **more)
    return answers(port_of(world.client("redshift"), name))
