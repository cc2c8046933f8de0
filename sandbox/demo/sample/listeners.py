"""The listeners: who they are, what they listen with, and the state that lasts from day to day."""

import random
from datetime import datetime, timedelta

from sandbox.demo.sample import words
from sandbox.demo.sample.chance import below, pick, stream
from sandbox.demo.sample.text import quoted

PAID, FREE = "paid", "free"


class Listener:
    """One user of the app: the JSON fragments of their events, their level, and when they are next free.

    An event's line is ``{"artist":…,"auth":…`` + `first` + item + `last` + length + ``,"level":…`` + `place`
    + method, page + `registration` + session, song, status, ts + `agent`.
    """

    __slots__ = ("agent", "first", "free_at", "keenness", "last", "level", "place", "registration")

    def __init__(self, seed: int, number: int, start: datetime) -> None:
        rng = stream(seed, "listener", number)
        female = rng.random() < 0.55
        name = pick(rng, words.FEMALE_NAMES if female else words.MALE_NAMES)
        surname = pick(rng, words.SURNAME_STARTS) + pick(rng, words.SURNAME_ENDS)
        registered = start - timedelta(seconds=3_600 + below(rng, 90 * 86_400))
        self.keenness = rng.random()
        self.level = PAID if rng.random() < 0.3 else FREE
        self.free_at = 0
        gender = "F" if female else "M"
        self.first = f',"firstName":{quoted(name)},"gender":"{gender}","itemInSession":'
        self.last = f',"lastName":{quoted(surname)},"length":'
        self.place = f',"location":{quoted(_home(rng))},"method":'
        self.registration = f',"registration":{milliseconds(registered) + below(rng, 1000)}.0,"sessionId":'
        self.agent = f',"userAgent":{quoted(_agent(rng))},"userId":"{number + 2}"}}'


def milliseconds(moment: datetime) -> int:
    """Count whole milliseconds from the epoch to ``moment`` (aware)."""
    return int(moment.timestamp()) * 1000


def _home(rng: random.Random) -> str:
    """Invent a metropolitan area such as ``Flint Hollow-Mossport, OH-KY``."""
    count = pick(rng, (1, 1, 2, 2, 3))
    towns = "-".join(pick(rng, words.PLACE_STARTS) + pick(rng, words.PLACE_ENDS) for _ in range(count))
    states = {pick(rng, words.STATES) for _ in range(pick(rng, (1, 1, 1, 2, 3)))}
    return f"{towns}, {'-'.join(sorted(states))}"


def _agent(rng: random.Random) -> str:
    """Compose a user agent; as in the real logs, all but Firefox's and Internet Explorer's are in quotes."""
    system = pick(rng, _SYSTEMS)
    family = pick(rng, _FAMILIES)
    if family == "firefox":
        version = 29 + below(rng, 4)
        return f"Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
    if family == "explorer":
        return f"Mozilla/5.0 (Windows NT 6.{1 + below(rng, 3)}; WOW64; Trident/7.0; rv:11.0) like Gecko"
    if family == "chrome":
        build = f"{34 + below(rng, 4)}.0.{1_900 + 20 * below(rng, 8)}.{100 + below(rng, 5)}"
        browser = f"AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{build} Safari/537.36"
        return f'"Mozilla/5.0 ({system}) {browser}"'
    device, release = pick(rng, ("iPhone", "iPad")), 1 + below(rng, 2)
    browser = (
        f"AppleWebKit/537.51.{release} (KHTML, like Gecko) Version/7.0 Mobile/11D20{release} Safari/9537.53"
    )
    return f'"Mozilla/5.0 ({device}; CPU OS 7_1_{release} like Mac OS X) {browser}"'


_SYSTEMS = (
    "Macintosh; Intel Mac OS X 10_9_4",
    "Macintosh; Intel Mac OS X 10_9_5",
    "Macintosh; Intel Mac OS X 10_8_2",
    "Windows NT 5.1",
    "Windows NT 6.1; WOW64",
    "Windows NT 6.3; WOW64",
    "X11; Linux x86_64",
    "X11; Ubuntu; Linux x86_64",
)
_FAMILIES = ("chrome", "chrome", "chrome", "chrome", "firefox", "firefox", "explorer", "mobile")
