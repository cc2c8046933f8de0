"""Who may connect to a cluster: the inbound rules of its security groups.

EC2 User Guide, "Security group rules": rules only allow, those of several groups count together, and what no
rule allows is dropped. A rule has a protocol (-1 for all), ports, and one source: a CIDR, a group or a prefix
list. Groups and prefix lists let nobody in here: the caller is a single address that belongs to none.
"""

import ipaddress
from collections.abc import Iterable

from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule


def admits(groups: Iterable[SecurityGroup], port: int, caller: str) -> bool:
    """Whether these groups let a caller in.

    Args:
        groups: A cluster's.
        port: The one the cluster was made with.
        caller: An IPv4 address.
    """
    address = ipaddress.IPv4Address(caller)
    open_to = [
        ipaddress.IPv4Network(rule.cidr_ipv4, strict=False)
        for group in groups
        for rule in group.ingress_rules
        if rule.cidr_ipv4 and _is_about(rule, port)
    ]
    return any(address in network for network in open_to)


def _is_about(rule: SecurityGroupRule, port: int) -> bool:
    if rule.ip_protocol == "-1":
        return True
    return rule.ip_protocol == "tcp" and (rule.from_port or 0) <= port <= (rule.to_port or 0)
