"""Small sources in two versions, so that each load has rows to delete, to insert, to correct and to match.

From either version of Sparkify's to the other: plays come and go, a user's newest play disappears, another
user's level changes, a song is renamed to a title that plays wait for, and an artist gets another name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.faults.datasets import SPARKIFY, STORES, UnderTest
from tests.faults.reference import Window
from tests.faults.runs import moments
from tests.faults.world import World
from tests.records import event, sale

DAY = moments("2018-11-15", "2018-11-16")
WINDOW = moments("2018-11-15T09", "2018-11-15T11")

HIT = {"song": "Hit", "artist": "Band", "length": 201.25}
OLD = {"song": "Old Title", "artist": "Singer", "length": 99.5}
NEW = {"song": "New Title", "artist": "Singer", "length": 99.5}


def put_version(world: World, version: int) -> None:
    """Write the source's files as they are in `version`, 0 or 1."""
    put_catalogue(world, version)
    put_day(world, version)


def put_catalogue(world: World, version: int) -> None:
    year = len(world.versions)  # so that no content ever comes back
    title = ("Old Title", "New Title")[version]
    band = {"artist_id": "AR2", "artist_name": ("Band", "Band feat. Singer")[version], "title": "Hit"}
    world.put_song("TRAAA1", song_id="SO1", artist_name="Singer", title=title, duration=99.5, year=year)
    world.put_song("TRAAB1", song_id="SO2", duration=201.25, year=year, **band)
    if "song_data/A/A/C/TRAAC1.json" not in world.objects:
        world.put_song("TRAAC1", song_id="SO3", title="Hit", artist_name="Band", duration=201.25)


def put_day(world: World, version: int) -> None:
    always = [
        event("2018-11-15T08:59:59.999", userId="1", **OLD),
        event("2018-11-15T08:10:00", userId="2", level="free", sessionId=2),
        event("2018-11-15T08:20:00", userId="3", level="free", sessionId=3),
        event("2018-11-15T09:00:00", userId="1", itemInSession=1, **OLD),
        event("2018-11-15T09:30:00", userId="1", itemInSession=2, **NEW),
        event("2018-11-15T09:31:00", userId="", auth="Logged Out", page="Home", song=None),
        event("2018-11-15T10:10:00", userId="4", sessionId=4, level=("free", "paid")[version], **HIT),
        event("2018-11-15T10:59:59.999", userId="1", itemInSession=3, **HIT),
        event("2018-11-15T11:00:00", userId="1", itemInSession=4, **NEW),
    ]
    only = (
        [event("2018-11-15T10:20:00", userId="2", sessionId=2, itemInSession=1, level="paid")],
        [
            event("2018-11-15T10:30:00", userId="3", sessionId=3, itemInSession=1, level="paid"),
            event("2018-11-15T10:31:00", userId="3", sessionId=3, itemInSession=2, level="paid", **OLD),
            event("2018-11-15T10:31:00", userId="5", sessionId=5, **NEW),
        ],
    )
    world.put_events("2018-11-15", always + only[version])


def put_version_of_stores(world: World, version: int) -> None:
    """Write the stores' files as they are in `version`, 0 or 1: sales of two months come, go and change."""
    world.put_store(0, Region=("Nord_Est", "Sud_Est")[version], Population=20_000 + len(world.versions))
    if "store_data/store-001.json" not in world.objects:
        world.put_store(1)
        world.put_sales("2018-12", [sale(0, "2018-12")])
    world.put_sales("2018-10", [sale(0, "2018-10", actual=(900, 800)[version]), sale(1, "2018-10")])
    only = ([sale(1, "2018-11")], [sale(2, "2018-11"), sale(2, "2018-11")])
    world.put_sales("2018-11", [sale(0, "2018-11", budget=(1000, 2000)[version]), *only[version]])


@dataclass(frozen=True)
class Story:
    """What happens to a dataset in a scenario.

    Args:
        put_version: writes the source as it is in a version, 0 or 1.
        everything: a window of all that it holds.
        window: one whose runs look back on all that differs between versions.
        targets: the table that each task loads.
    """

    under_test: UnderTest
    put_version: Callable[[World, int], None]
    everything: Window
    window: Window
    targets: Mapping[str, str]


OF_SPARKIFY = Story(
    SPARKIFY,
    put_version,
    DAY,
    WINDOW,
    {
        "stage_events": "staging_events",
        "stage_songs": "staging_songs",
        "load_users": "users",
        "load_artists": "artists",
        "load_songs": "songs",
        "load_time": "time",
        "load_songplays": "songplays",
    },
)
OF_STORES = Story(
    STORES,
    put_version_of_stores,
    moments("2018-10-01", "2019-01-01"),
    moments("2018-11-01", "2018-12-01"),
    {
        "stage_stores": "staging_stores",
        "stage_sales": "staging_sales",
        "load_stores": "stores",
        "load_sales": "store_sales",
    },
)
