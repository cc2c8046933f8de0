"""Random sequences of everything end in the tables that the files say, and no dataset minds another."""

import os

import pytest

from tests.faults.both_sequence import BothSequence
from tests.faults.sequences import run_machine
from tests.faults.sparkify_sequence import Sequence

# Parts of 20 sequences, so that workers can share them; each is the seed of its sequences.
PARTS = range(10)
PARTS_OF_BOTH = range(100, 115)
SEQUENCES = int(os.environ.get("FAULT_SEQUENCES", "20"))


def run_sparkify(world, proxy, part: int, sequences: int) -> None:
    test = f"test_random_sequences_end_in_the_same_tables[{PARTS[0]}]"
    parts = {"world": world, "proxy": proxy}
    run_machine(Sequence, parts, part=part, sequences=sequences, steps=7, test=test)


def run_both(world, proxy, part: int, sequences: int) -> None:
    test = f"test_random_sequences_over_two_datasets_end_in_the_same_tables[{PARTS_OF_BOTH[0]}]"
    parts = {"world": world, "proxy": proxy}
    run_machine(BothSequence, parts, part=part, sequences=sequences, steps=8, test=test)


def test_a_few_random_sequences_end_in_the_same_tables(world, endpoint, proxy):
    run_sparkify(world, proxy, PARTS[0], 4)


def test_a_few_random_sequences_over_two_datasets_end_in_the_same_tables(both, endpoint, proxy):
    run_both(both, proxy, PARTS_OF_BOTH[0], 6)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", PARTS)
def test_random_sequences_end_in_the_same_tables(world, endpoint, proxy, part):
    run_sparkify(world, proxy, part, SEQUENCES)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", PARTS_OF_BOTH)
def test_random_sequences_over_two_datasets_end_in_the_same_tables(both, endpoint, proxy, part):
    run_both(both, proxy, part, SEQUENCES)
