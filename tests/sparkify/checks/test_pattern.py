"""Which patterns are taken, and that they mean what Python makes of them."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkify.checks.pattern import check_pattern

TAKEN = [
    "a",
    "^$",
    "^[A-Za-z0-9_-]+@[^ ]+$",
    "a{2}",
    "a{2,}",
    "(a|b)*c",
    "((x)|y)?",
    "[.]csv$",
    "é.",
    "[a-c-]",
    "[^^]",
]
REFUSED = [
    *("", "*", "a**", "a*?", "a+?", "a{2}?", "?a", "^*", "(?i)a", "(?:a)", "***=a"),
    *(r"\d", r"\.", "[[:alpha:]]", "[[.a.]]", "[]a]", "[", "]", "[]", "[^]", "[z-a]", "[a-c-e]", r"[\d]"),
    *(
        "(",
        ")",
        "()",
        "(a",
        "a)",
        "a|",
        "|a",
        "a||b",
        "(|a)",
        "{",
        "a{",
        "a{x}",
        "a{,2}",
        "a{3,2}",
        "a{256}",
        "}",
    ),
    "a\0",
]


@pytest.mark.parametrize("pattern", TAKEN)
def test_a_pattern_that_every_warehouse_reads_alike_is_taken(pattern):
    assert check_pattern(pattern) == pattern


@pytest.mark.parametrize("pattern", REFUSED)
def test_any_other_is_refused_with_what_to_use(pattern):
    with pytest.raises(
        ValueError, match=r"is no pattern that every warehouse reads alike.* use: plain characters"
    ):
        check_pattern(pattern)


def test_the_refusal_says_where():
    with pytest.raises(ValueError, match=r"at character 4, '\\\\', use"):
        check_pattern(r"abc\d")


PIECES = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "[a-b]", "^", "$", "é", "%", "'", "?", ":"])
PATTERNS = st.recursive(
    st.lists(PIECES, min_size=1, max_size=4).map("".join),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, st.sampled_from(["", "*", "+", "?", "{2}", "{1,}", "{0,2}"])).map(
            lambda p: f"({p[0]}){p[1]}"
        ),
        st.tuples(inner, inner).map("".join),
    ),
    max_leaves=4,
)


def is_taken(pattern):
    try:
        check_pattern(pattern)
    except ValueError:
        return False
    return True


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_taken_means_to_the_warehouse_what_it_means_to_python(data, redshift):
    patterns = data.draw(st.lists(PATTERNS.filter(is_taken), min_size=20, max_size=20))
    texts = data.draw(st.lists(st.text("abé%'?:", max_size=5), min_size=20, max_size=20))
    asked = ", ".join(
        f"{quoted(text)} ~ {quoted(pattern)}" for text, pattern in zip(texts, patterns, strict=True)
    )
    cursor = redshift.cursor()
    cursor.execute(f"SELECT {asked}")
    expected = [
        bool(re.search(pattern.replace("$", r"\Z"), text))
        for text, pattern in zip(texts, patterns, strict=True)
    ]
    assert list(cursor.fetchone()) == expected


def quoted(text):
    return "'" + text.replace("'", "''") + "'"
