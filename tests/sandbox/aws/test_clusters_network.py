"""Who reaches a cluster: its security groups decide, and whoever they do not admit hears nothing at all."""

import contextlib
import dataclasses
import os
import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator

import psutil
import psycopg
import psycopg2
import pytest
import redshift_connector

from sandbox.parts.parts import Aws
from sandbox.parts.settings import Settings
from tests.sandbox.aws.client import client
from tests.sandbox.aws.clusters import CLUSTER, World
from tests.sandbox.aws.networks import ELSEWHERE, HERE, admits, answers, new_group, permission, port_of

pytest_plugins = ("tests.sandbox.aws.cluster_fixtures",)


class TestRules:
    @pytest.mark.parametrize(
        ("rules", "is_in"),
        [
            ([permission(HERE)], True),
            ([permission("172.31.0.10/32")], True),
            ([permission("0.0.0.0/0", 5000, 6000)], True),
            ([permission(ELSEWHERE), permission(HERE)], True),
            ([{"IpProtocol": "-1", "IpRanges": [{"CidrIp": HERE}]}], True),
            ([], False),
            ([permission(ELSEWHERE)], False),
            ([permission("172.31.0.11/32")], False),
            ([permission(HERE, 5440, 5500)], False),
            ([permission(HERE, protocol="udp")], False),
        ],
    )
    def test_a_rule_admits_by_address_port_and_protocol(self, world: World, rules, is_in: bool):
        assert admits(world, new_group(world.client("ec2"), *rules)) is is_in

    def test_any_of_several_groups_admits(self, world: World):
        ec2 = world.client("ec2")
        assert admits(world, new_group(ec2, permission(ELSEWHERE)), new_group(ec2, permission(HERE)))

    def test_a_rule_for_another_group_or_for_ipv6_admits_nobody(self, world: World):
        ec2 = world.client("ec2")
        other = new_group(ec2, permission(HERE))
        ports = {"IpProtocol": "tcp", "FromPort": 5439, "ToPort": 5439}
        for source in ({"UserIdGroupPairs": [{"GroupId": other}]}, {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}):
            assert not admits(world, new_group(ec2, {**ports, **source}))

    def test_the_port_is_the_one_the_cluster_was_made_with(self, world: World):
        group = new_group(world.client("ec2"), permission(HERE, 5440, 5440))
        assert admits(world, group, Port=5440)
        assert not admits(world, group)

    def test_without_a_group_of_its_own_a_cluster_is_locked_down(self, world: World):
        assert not admits(world)

    def test_other_groups_take_effect_with_modify_cluster(self, world: World):
        ec2, redshift = world.client("ec2"), world.client("redshift")
        inside, outside = new_group(ec2, permission(HERE)), new_group(ec2)
        name = world.create(VpcSecurityGroupIds=[outside])
        port = port_of(redshift, name)
        for group, is_in in ((inside, True), (outside, False), (inside, True)):
            redshift.modify_cluster(ClusterIdentifier=name, VpcSecurityGroupIds=[group])
            world.time.pass_phase()
            assert answers(port) is is_in

    def test_a_rule_holds_as_soon_as_it_is_made_and_no_longer_than_it_is_there(self, world: World):
        ec2 = world.client("ec2")
        group = new_group(ec2)
        port = port_of(world.client("redshift"), world.create(VpcSecurityGroupIds=[group]))
        for _ in range(3):
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission(HERE)])
            assert answers(port)
            ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[permission(HERE)])
            assert not answers(port)

    def test_who_still_waits_when_the_rule_is_made_gets_in(self, world: World):
        ec2 = world.client("ec2")
        group = new_group(ec2)
        port = port_of(world.client("redshift"), world.create(VpcSecurityGroupIds=[group]))
        came = []
        waiting = threading.Thread(
            target=lambda: came.append(socket.create_connection(("127.0.0.1", port), timeout=30))
        )
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission(HERE)])
        waiting.join()
        came[0].close()

    def test_a_cluster_that_is_gone_has_no_port(self, world: World):
        redshift = world.client("redshift")
        name = world.create()
        port = port_of(redshift, name)
        redshift.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)
        world.time.pass_phase()
        redshift.describe_clusters()
        with pytest.raises(ConnectionRefusedError):
            answers(port)


@dataclasses.dataclass
class Reach:
    """A cluster before the session's warehouse, its security group, and its port."""

    settings: Settings
    name: str
    group: str
    port: int

    @property
    def login(self) -> dict:
        return {"host": "127.0.0.1", "port": self.port, "user": self.settings.user} | {
            "password": self.settings.password
        }

    def open(self) -> None:
        ec2 = client(self.settings, "ec2")
        ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[permission(HERE)])

    def shut(self) -> None:
        ec2 = client(self.settings, "ec2")
        ec2.revoke_security_group_ingress(GroupId=self.group, IpPermissions=[permission(HERE)])


@pytest.fixture
def reach(sandbox: Settings) -> Iterator[Reach]:
    """An available cluster whose security group admits another network than the caller's."""
    redshift, name = client(sandbox, "redshift"), f"c-{uuid.uuid4().hex[:8]}"
    group = new_group(client(sandbox, "ec2"), permission(ELSEWHERE))
    redshift.create_cluster(ClusterIdentifier=name, VpcSecurityGroupIds=[group], **CLUSTER)
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier=name, WaiterConfig={"Delay": 1})
    yield Reach(sandbox, name, group, port_of(redshift, name))
    redshift.delete_cluster(ClusterIdentifier=name, SkipFinalClusterSnapshot=True)


def by_psycopg(reach: Reach) -> object:
    with psycopg.connect(**reach.login, dbname="sparkify", connect_timeout=2) as connection:
        return connection.execute("SELECT 41 + 1").fetchone()[0]


def by_psycopg2(reach: Reach) -> object:
    login = {**reach.login, "dbname": "sparkify", "connect_timeout": 2}
    with contextlib.closing(psycopg2.connect(**login)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 41 + 1")
        return cursor.fetchone()[0]


def by_redshift_connector(reach: Reach) -> object:
    login = {"database": "sparkify", "region": "us-east-1", "iam_disable_cache": True, "timeout": 2}
    opened = redshift_connector.connect(
        iam=True, cluster_identifier=reach.name, db_user=reach.settings.user, **login
    )
    with contextlib.closing(opened) as connection:
        return connection.cursor().execute("SELECT 41 + 1").fetchone()[0]


def by_psql(reach: Reach) -> object:
    if not (psql := shutil.which("psql")):
        pytest.skip("no psql on this machine")
    address = f"host=127.0.0.1 port={reach.port} user={reach.settings.user} dbname=sparkify connect_timeout=2"
    done = subprocess.run(
        [psql, address, "-Atc", "SELECT 41 + 1"],
        env={**os.environ, "PGPASSWORD": reach.settings.password},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise psycopg.OperationalError(done.stderr)
    return int(done.stdout)


CLIENTS = [by_psycopg, by_psycopg2, by_redshift_connector, by_psql]
TIMED_OUT = "timeout expired|connection time out"
ERRORS = (psycopg.OperationalError, psycopg2.OperationalError, redshift_connector.OperationalError)


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_client_waits_for_its_own_time_out_until_it_is_admitted(reach: Reach, ask):
    with pytest.raises(ERRORS, match=TIMED_OUT):
        ask(reach)
    reach.open()
    assert ask(reach) == 42


def test_a_session_goes_on_when_its_rule_is_gone(reach: Reach):
    reach.open()
    with psycopg.connect(**reach.login, dbname="sparkify") as connection:
        reach.shut()
        assert not answers(reach.port)
        assert connection.execute("SELECT REPEAT('x', 3000000)").fetchone() == ("x" * 3_000_000,)


def test_a_cluster_that_goes_ends_its_sessions(reach: Reach, sandbox: Settings):
    reach.open()
    redshift = client(sandbox, "redshift")
    with contextlib.closing(psycopg.connect(**reach.login, dbname="sparkify")) as connection:
        redshift.modify_cluster(ClusterIdentifier=reach.name, NewClusterIdentifier=f"{reach.name}-gone")
        redshift.get_waiter("cluster_available").wait(
            ClusterIdentifier=f"{reach.name}-gone", WaiterConfig={"Delay": 1}
        )
        redshift.delete_cluster(ClusterIdentifier=f"{reach.name}-gone", SkipFinalClusterSnapshot=True)
        redshift.get_waiter("cluster_deleted").wait(
            ClusterIdentifier=f"{reach.name}-gone", WaiterConfig={"Delay": 1}
        )
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    redshift.create_cluster(ClusterIdentifier=reach.name, **CLUSTER)
    redshift.get_waiter("cluster_available").wait(ClusterIdentifier=reach.name, WaiterConfig={"Delay": 1})


def test_the_warehouse_of_the_sandbox_itself_needs_no_rule(reach: Reach, sandbox: Settings):
    assert not answers(reach.port)
    assert by_psycopg(dataclasses.replace(reach, port=sandbox.redshift_port)) == 42


def test_those_who_wait_cost_the_sandbox_nothing(reach: Reach, sandbox: Settings):
    [server] = Aws(sandbox).find()[:1]
    before = psutil.Process(server.pid).num_fds()
    waiting = []
    for _ in range(200):
        waiting.append(one := socket.socket())
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", reach.port))
    assert not answers(reach.port)
    assert psutil.Process(server.pid).num_fds() <= before + 2  # a request may be under way
    for one in waiting:
        one.close()
    reach.open()
    assert by_psycopg(reach) == 42
