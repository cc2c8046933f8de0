"""JSON text as the source writes it."""

import json


def quoted(text: str | None) -> str:
    r"""Render a JSON string as the app's logger does: ``\uXXXX`` in lower case, and ``\/`` for a slash."""
    return json.dumps(text).replace("/", r"\/")


def decimal(units: int) -> str:
    """Render hundred-thousandths as the shortest decimal: 21394240 is ``213.9424``.

    Digits are cut from an integer, so that the text never depends on how a machine prints floats.
    """
    sign, size = ("-", -units) if units < 0 else ("", units)
    digits = f"{size % 100_000:05d}".rstrip("0") or "0"
    return f"{sign}{size // 100_000}.{digits}"


def twice_encoded(text: str) -> str:
    """Garble non-ASCII letters as the real logs do: UTF-8 bytes read as Latin-1, and that once more."""
    for _ in range(2):
        text = text.encode("utf-8").decode("latin-1")
    return text
