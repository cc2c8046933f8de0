"""The README tells how many scenarios there are."""

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.faults.conftest import COLLECTED
from tests.faults.test_random import PARTS, PARTS_OF_BOTH, SEQUENCES


def test_the_readme_says_how_many_scenarios_and_random_sequences_there_are(pytestconfig):
    collected = dict(pytestconfig.stash[COLLECTED])
    if collected.keys() != {path.name for path in Path(__file__).parent.glob("test_*.py")}:
        pytest.skip("not all files were collected")
    scenarios = sum(collected.values()) - collected["test_random.py"] - collected["test_readme.py"]
    said = re.search(
        r"(\d+) fault\s+scenarios and (\d+)\s+random\s+sequences", (REPOSITORY / "README.md").read_text()
    )
    assert said is not None
    assert [int(number) for number in said.groups()] == [
        scenarios,
        (len(PARTS) + len(PARTS_OF_BOTH)) * SEQUENCES,
    ]
