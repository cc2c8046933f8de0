"""Work that several ask for at once is done once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sparkify_watch.page.once import Once


def test_who_comes_meanwhile_waits_for_the_one_answer():
    once, begun, may_end, done = Once(), threading.Event(), threading.Event(), []

    def work():
        begun.set()
        assert may_end.wait(60)
        done.append(1)
        return "answer"

    with ThreadPoolExecutor(5) as people:
        first = people.submit(once.get, "key", work)
        assert begun.wait(60)
        others = [people.submit(once.get, "key", work) for _ in range(4)]
        assert once.get("other key", lambda: "another") == "another"
        may_end.set()
        assert [each.result(60) for each in (first, *others)] == ["answer"] * 5
    assert done == [1]


def test_what_failed_is_tried_again():
    once = Once()
    with pytest.raises(ZeroDivisionError):
        once.get("key", lambda: 1 // 0)
    assert once.get("key", lambda: 2) == 2


def test_what_nobody_asked_for_of_late_is_forgotten():
    once, asked = Once(most=2), []

    def ask(key):
        once.get(key, lambda: asked.append(key))

    for key in "abacab":
        ask(key)
    assert asked == ["a", "b", "c", "b"]
