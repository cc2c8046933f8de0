"""One session: the songs and pages that a listener goes through, event by event, as the app's log lines."""

import random
from bisect import bisect

from sandbox.demo.sample.chance import below, cumulative, draw
from sandbox.demo.sample.listeners import FREE, PAID, Listener
from sandbox.demo.sample.tracks import Library

_REQUESTS = {"Login": ("PUT", 307), "Logout": ("PUT", 307), "Error": ("GET", 404)}
_REQUESTS |= dict.fromkeys(("Save Settings", "Submit Upgrade", "Submit Downgrade"), ("PUT", 307))
_GET = ("GET", 200)
_OTHER_PAGES = ("Home", "Settings", "Help", "change", "About", "Logout", "Error")
_OTHER_SHARES = cumulative((50, 9, 9, 13, 6, 11, 2))
_FOLLOWERS = {
    "Settings": ("Save Settings", 0.15),
    "Upgrade": ("Submit Upgrade", 0.45),
    "Downgrade": ("Submit Downgrade", 0.15),
    "Submit Upgrade": ("Home", 1.0),
    "Submit Downgrade": ("Home", 1.0),
    "Save Settings": ("Home", 1.0),
    "Error": ("Home", 1.0),
    "Login": ("Home", 1.0),
    "Logout": ("Home", 1.0),
}
"""What comes after a page with which probability; otherwise anything does."""
_LENGTHS = ((0.35, 1, 2), (0.30, 3, 6), (0.22, 9, 22), (0.13, 31, 80))
"""Kinds of sessions: their share, the fewest events, and how many more there can be."""
_PLAYING_ON, _BACK_TO_PLAYING = 0.955, 0.7
"""Probabilities that a song is played after a song, and after a page."""


class Session:
    """A visit of one listener: where it stands, and how many events are still planned."""

    __slots__ = ("item", "listener", "number", "page", "remaining", "signed_in", "ts")

    def __init__(self, listener: Listener, number: int, ts: int, length: int, signed_in: bool = True) -> None:
        self.listener = listener
        self.number = number
        self.ts = ts
        self.remaining = length
        self.signed_in = signed_in
        self.item = 0
        self.page = ""

    def run(self, until: int, rng: random.Random, library: Library, lines: list[tuple[int, str]]) -> None:
        """Go on until all planned events are done or it is ``until`` (epoch ms); append (ts, line)."""
        while self.remaining and self.ts < until:
            page = self._next_page(rng)
            if page == "NextSong":
                self._play(until, rng, library, lines)
            else:
                lines.append((self.ts, self._line(page)))
                self._leave(page, rng)

    def _next_page(self, rng: random.Random) -> str:
        follower, probability = _FOLLOWERS.get(self.page, ("", 0.0))
        if rng.random() < probability:
            return follower
        if not self.signed_in:
            return _signed_out_page(rng, self.page)
        if not self.page:
            return _first_page(rng, self)
        if self.page != "NextSong" and rng.random() < _BACK_TO_PLAYING:
            return "NextSong"
        return self._other_page(rng)

    def _other_page(self, rng: random.Random) -> str:
        page = _OTHER_PAGES[draw(rng, _OTHER_SHARES)]
        if page == "change":
            return "Upgrade" if self.listener.level == FREE else "Downgrade"
        return page

    def _play(self, until: int, rng: random.Random, library: Library, lines: list[tuple[int, str]]) -> None:
        """Play songs one after another; the hot loop, nearly all events come from here."""
        listener, chance, ts, item = self.listener, rng.random, self.ts, self.item
        tracks, shares = library
        first, last = f',"auth":"Logged In"{listener.first}', listener.last
        middle = f',"level":"{listener.level}"{listener.place}"PUT","page":"NextSong"{listener.registration}'
        middle = f'{middle}{self.number},"song":'
        agent = listener.agent
        end = item + self.remaining
        while True:
            artist, length, title, seconds = tracks[bisect(shares, chance())]
            lines.append(
                (
                    ts,
                    f'{{"artist":{artist}{first}{item}{last}{length}{middle}{title},"status":200,"ts":{ts}{agent}',
                )
            )
            ts += seconds * 1000
            item += 1
            if item == end or ts >= until or chance() >= _PLAYING_ON:
                break
        self.ts, self.item, self.remaining, self.page = ts, item, end - item, "NextSong"

    def _line(self, page: str) -> str:
        method, status = _REQUESTS.get(page, _GET)
        level, listener = self.listener.level, self.listener
        if self.signed_in:
            return (
                f'{{"artist":null,"auth":"Logged In"{listener.first}{self.item}{listener.last}null'
                f',"level":"{level}"{listener.place}"{method}","page":"{page}"{listener.registration}{self.number}'
                f',"song":null,"status":{status},"ts":{self.ts}{listener.agent}'
            )
        return (
            f'{{"artist":null,"auth":"Logged Out","firstName":null,"gender":null,"itemInSession":{self.item}'
            f',"lastName":null,"length":null,"level":"{level}","location":null,"method":"{method}","page":"{page}"'
            f',"registration":null,"sessionId":{self.number},"song":null,"status":{status},"ts":{self.ts}'
            ',"userAgent":null,"userId":""}'
        )

    def _leave(self, page: str, rng: random.Random) -> None:
        """Let the page have its effect, and the time until the next click pass."""
        if page == "Submit Upgrade":
            self.listener.level = PAID
        elif page == "Submit Downgrade":
            self.listener.level = FREE
        elif page in ("Login", "Logout"):
            self.signed_in = page == "Login"
        self.page = page
        self.item += 1
        self.remaining -= 1
        self.ts += _pause(rng, page)


def session_length(rng: random.Random) -> int:
    """Draw how many events a session has: mostly a few, sometimes a hundred, a dozen on average."""
    chance = rng.random()
    for share, fewest, more in _LENGTHS:
        if chance < share:
            return fewest + below(rng, more)
        chance -= share
    return 1


def _first_page(rng: random.Random, session: Session) -> str:
    chance = rng.random()
    if chance < 0.53:
        return "NextSong"
    if chance < 0.96:
        return "Home"
    if chance < 0.98:
        return session._other_page(rng)
    session.signed_in = False
    return "Login"


def _signed_out_page(rng: random.Random, page: str) -> str:
    if page == "Home" and rng.random() < 0.6:
        return "Login"
    chance = rng.random()
    return "Home" if chance < 0.8 else "About" if chance < 0.95 else "Help"


def _pause(rng: random.Random, page: str) -> int:
    """Draw the milliseconds between a page and the next click; some come within the same second."""
    if page in _REQUESTS:
        return 1000 * below(rng, 10)
    shortness = rng.random()
    return 1000 * int(300 * shortness * shortness)
