"""Single events and songs in the source's format, for tests to change."""

from datetime import UTC, datetime, timedelta
from typing import Any


def event(at: str, **fields: Any) -> dict[str, Any]:
    """One event at a UTC time such as 2018-11-15T09:30:00.796."""
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    base = {
        "artist": "Nobody",
        "auth": "Logged In",
        "firstName": "Ada",
        "gender": "F",
        "itemInSession": 0,
        "lastName": "Quill",
        "length": 200.5,
        "level": "free",
        "location": "Springfield",
        "method": "PUT",
        "page": "NextSong",
        "registration": 1540919166796.0,
        "sessionId": 1,
        "song": "Unknown",
        "status": 200,
        "ts": (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1),
        "userAgent": '"Agent/1.0"',
        "userId": "1",
    }
    return {**base, **fields}


def song(**fields: Any) -> dict[str, Any]:
    base = {
        "artist_id": "AR1",
        "artist_latitude": None,
        "artist_location": "",
        "artist_longitude": None,
        "artist_name": "Nobody",
        "duration": 200.5,
        "num_songs": 1,
        "song_id": "SO1",
        "title": "Unknown",
        "year": 0,
    }
    return {**base, **fields}


def store(number: int, **fields: Any) -> dict[str, Any]:
    """One store; its number stands for all that identifies it."""
    base = {
        "City": f"City {number}",
        "Brand": "Lumio",
        "Ads": 99.5,
        "Region": "Nord_Est",
        "Location": "Centre_Ville",
        "Nb_cash_register": 4,
        "Population": 20_000,
        "Blue_collar_rate": 5.5,
        "White_collar_rate": 2.5,
        "Jobless_rate": 4.5,
        "Lt_25_yo": 20.5,
        "25_35_yo": 10.5,
        "gt_35_yo": 69.0,
    }
    return {**base, **fields}


def sale(number: int, month: str, **fields: Any) -> dict[str, Any]:
    """What the store of a number sells in a month such as 2018-11."""
    base = {
        "city": f"City {number}",
        "brand": "Lumio",
        "location": "Centre_Ville",
        "month": f"{month}-01 00:00:00",
        "budget": 1000,
        "actual": 900,
    }
    return {**base, **fields}
