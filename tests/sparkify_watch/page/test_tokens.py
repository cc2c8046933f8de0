"""Form tokens: nobody makes one for somebody else, and none lasts."""

import time

import pytest

from sparkify_watch.page.tokens import TokenError, make_token, read_nonce


def test_a_token_is_good_for_its_user_and_tells_itself_from_others():
    tokens = {make_token("ada") for _ in range(50)}
    assert len({read_nonce("ada", token) for token in tokens}) == 50
    assert read_nonce("ada", (token := tokens.pop())) == read_nonce("ada", token)


@pytest.mark.parametrize("user", ["bob", "", "ada.", "Ada"])
def test_it_is_good_for_nobody_else(user):
    with pytest.raises(TokenError, match="not made by this page for you"):
        read_nonce(user, make_token("ada"))


def test_no_character_of_it_can_be_another():
    token = make_token("ada")
    for place, letter in enumerate(token):
        other = "0" if letter != "0" else "1"
        with pytest.raises(TokenError):
            read_nonce("ada", token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é.ü.ß", "0" * 10_000, "\ud800"[:0] + "x"])
def test_what_is_no_token_at_all_is_refused(token):
    with pytest.raises(TokenError):
        read_nonce("ada", token)


def test_a_user_whose_name_holds_a_dot_cannot_be_taken_for_part_of_a_token():
    issued, nonce, mark = make_token("ada").split(".")
    with pytest.raises(TokenError):
        read_nonce("a", f"{issued}.{nonce}.{mark}")
    with pytest.raises(TokenError):
        read_nonce("", f"{issued}.{nonce}.ada.{mark}")


def test_it_is_good_for_twelve_hours(monkeypatch):
    token, now = make_token("ada"), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 12 * 3600 - 60)
    read_nonce("ada", token)
    monkeypatch.setattr(time, "time", lambda: now + 12 * 3600 + 60)
    with pytest.raises(TokenError, match="more than twelve hours old"):
        read_nonce("ada", token)


def test_another_key_makes_other_tokens(monkeypatch):
    token = make_token("ada")
    monkeypatch.setenv("AIRFLOW__API__SECRET_KEY", "quite another key")
    with pytest.raises(TokenError):
        read_nonce("ada", token)
