"""Which clusters people hear of before the reaper stops them."""

import dataclasses
from datetime import UTC, datetime, timedelta

from sparkify.cluster.life import remove_cluster
from sparkify_watch.alerts.expiry import find_expiring
from tests.sparkify.cluster.steps import PLAN, do, provision

pytest_plugins = ("tests.sparkify.cluster.steps",)


def test_a_cluster_is_told_of_two_hours_before_its_time_until_it_goes(world, aws):
    world.create()
    provision(world, aws, dataclasses.replace(PLAN, hours_to_live=3))
    now = datetime.now(UTC)
    assert find_expiring(aws, now) == {}
    found = find_expiring(aws, now + timedelta(hours=1, minutes=1))
    assert list(found) == ["provisioned_steps"]
    assert "The provisioned cluster steps (available) expires at 20" in found["provisioned_steps"]
    assert found == find_expiring(aws, now + timedelta(hours=9))
    do(world, aws, remove_cluster)
    assert find_expiring(aws, now + timedelta(hours=9)) == {}
