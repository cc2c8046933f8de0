"""What is remembered of a subject: each change is told once to each target, whatever happens between."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sparkify.window import Window
from sparkify_watch.alerts.memory import GOOD, Memory
from sparkify_watch.alerts.states import (
    FAILED_RUN,
    LATE_LOAD,
    QUALITY_ERROR,
    late_run_ended,
    run_ended,
    run_is_late,
    windows_left,
)

NOON = datetime(2018, 11, 15, 12, tzinfo=UTC)


def hour(number):
    return Window.of_hour(NOON + timedelta(hours=number))


def tell(memory, alive, at, told):
    """Tell each target that is owed the state, if it is alive."""
    for target, is_alive in alive.items():
        if memory.is_owed(target, at):
            if is_alive:
                told[target].append(memory.state)
            memory = memory.heard(target) if is_alive else memory.not_heard(target, at)
    return Memory.read(memory.write())


OUTCOMES = st.lists(
    st.tuples(
        st.sampled_from([GOOD, FAILED_RUN, QUALITY_ERROR]),
        st.integers(0, 5),
        st.booleans(),
        st.sampled_from([1, 60, 600]),
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(OUTCOMES)
def test_any_sequence_of_runs_gives_one_alert_for_each_change_of_state(runs):
    memory, at = Memory(), NOON
    told = {"always": [], "sometimes": []}
    heard, silent_until, left = GOOD, NOON, set()
    expected = {"always": [], "sometimes": []}
    state = GOOD
    for outcome, number, is_alive, seconds in runs:
        at += timedelta(seconds=seconds)
        memory = run_ended(memory, outcome, hour(number), at)
        memory = tell(memory, {"always": True, "sometimes": is_alive}, at, told)

        # The reference: a list of states without repetitions; who was away hears what holds when it is asked
        # again, five minutes later or at the next change.
        left = left - {number} if outcome == GOOD else left | {number}
        if outcome != state:
            expected["always"].append(outcome)
            state, silent_until = outcome, at
        if state != heard and at >= silent_until:
            if is_alive:
                expected["sometimes"].append(state)
                heard = state
            else:
                silent_until = at + timedelta(minutes=5)
        assert told == expected
        assert windows_left(memory) == _merged(left)
        assert memory.is_settled == (state == GOOD and heard == GOOD)


def _merged(hours):
    from sparkify.window import merge

    return merge(hour(number) for number in hours)


LATE = st.lists(st.tuples(st.sampled_from(["late", "succeeds", "fails"]), st.integers(0, 3)), max_size=30)


@settings(max_examples=150, deadline=None)
@given(LATE)
def test_a_load_is_late_from_the_first_deadline_missed_until_none_is_late_and_one_has_come(events):
    memory, told = Memory(), {"log": []}
    late, expected, state = set(), [], GOOD
    for n, (event, number) in enumerate(events):
        at = NOON + timedelta(seconds=n)
        if event == "late":
            memory = run_is_late(memory, f"run {number}", at)
            late.add(number)
        else:
            memory = late_run_ended(memory, f"run {number}", at, succeeded=event == "succeeds")
            late.discard(number)
        memory = tell(memory, {"log": True}, at, told)

        now = LATE_LOAD if event == "late" else GOOD if event == "succeeds" and not late else state
        expected += [now] if now != state else []
        state = now
        assert told["log"] == expected


def test_a_run_that_was_late_and_never_ended_is_forgotten_after_a_day():
    memory = run_is_late(Memory(), "marked failed by hand", NOON)
    memory = late_run_ended(memory, "the next", NOON + timedelta(hours=1), succeeded=True)
    assert memory.state == LATE_LOAD
    memory = late_run_ended(memory, "tomorrow's", NOON + timedelta(hours=25), succeeded=True)
    assert memory.state == GOOD


def test_a_change_has_a_number_that_tells_it_from_others():
    failed = run_ended(Memory(), FAILED_RUN, None, NOON)
    still = run_ended(failed, FAILED_RUN, None, NOON + timedelta(hours=1))
    again = run_ended(run_ended(still, GOOD, None, NOON), FAILED_RUN, None, NOON)
    assert (failed.change, still.change, again.change) == (1, 1, 3)
    assert still.since == NOON.isoformat()


def test_a_memory_that_somebody_has_edited_begins_anew():
    assert Memory.read("[1]") == Memory.read('{"state": 1, "unknown": 2}') == Memory.read("") == Memory()
