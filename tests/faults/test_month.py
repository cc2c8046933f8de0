"""A month loaded as one window and as its 720 hours."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from sandbox.demo.sample import generate
from tests.faults.runs import moments

MONTH = moments("2018-11-01", "2018-12-01")
HOURS = [
    (MONTH[0] + timedelta(hours=n), MONTH[0] + timedelta(hours=n + 1))
    for n in range((MONTH[1] - MONTH[0]) // timedelta(hours=1))
]
SEED = 720


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_month_as_one_window_and_as_720_shuffled_hours_has_equal_checksums(world, tmp_path):
    generate(tmp_path, seed=SEED, start=MONTH[0].date(), days=30, events=6_000, songs=200)
    world.put_folder(tmp_path)
    world.run(MONTH)
    world.check()
    as_one = world.checksums()
    assert all(world.warehouse.counts().values())
    world.empty_tables()
    assert world.checksums() != as_one
    hours = random.Random(SEED).sample(HOURS, len(HOURS))
    assert len(hours) == 720
    # Two processes, each with every other hour: half the time where there are two cores.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda part: world.run(*part), [hours[::2], hours[1::2]]))
    world.check()
    assert world.checksums() == as_one
