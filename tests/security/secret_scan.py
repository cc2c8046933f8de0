"""Where generated secrets are: in files, in processes, in documents; and what docs/security.md says of it."""

import base64
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "security.md"
Places = dict[str, set[str]]


def told(heading: str, column: str) -> Places:
    """What a table of docs/security.md says: the places of each secret, both in code spans."""
    text = PAGE.read_text().partition(f"### {heading}\n")[2].partition("\n#")[0]
    lines = [line.split("|") for line in text.splitlines() if line.startswith("|")]
    assert lines, f"docs/security.md has no table under {heading!r}"
    wanted = lines[0].index(f" {column} ")
    return {_code(line[1])[0]: set(_code(line[wanted])) for line in lines[2:]}


def _code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def forms(secret: str) -> set[bytes]:
    """A secret as it stands, in URLs, in JSON and inside of a text in base64, whatever is before it there."""
    plain = secret.encode()
    found = {plain, urllib.parse.quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode()}
    for shift in range(3):
        # The characters at both ends also hold bits of what is beside the secret.
        coded = base64.b64encode(b"\0" * shift + plain)
        found.add(coded[-(-shift * 8 // 6) : len(coded) - (4 if (shift + len(plain)) % 3 else 0)])
    return found | {form.translate(bytes.maketrans(b"+/", b"-_")) for form in found}


class Scan:
    """A search for secrets.

    Args:
        secrets: by name.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        assert all(len(secret) >= 20 for secret in secrets.values()), "a short one is found by chance"
        self._forms = {name: forms(secret) for name, secret in secrets.items()}

    def names(self, content: bytes) -> set[str]:
        """The secrets that a text holds."""
        return {name for name, texts in self._forms.items() if any(text in content for text in texts)}

    def of(self, contents: Iterable[tuple[str, bytes]]) -> Places:
        """The places of each secret."""
        places: Places = {name: set() for name in self._forms}
        for place, content in contents:
            for name in self.names(content):
                places[name].add(place)
        return places


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, its name first: a secret may be there, too."""
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        yield name, name.encode()
        if path.is_file() and not path.is_symlink():
            yield name, path.read_bytes()


def processes(kind: str) -> Iterator[tuple[int, bytes]]:
    """What /proc says of every process that we may look at: its `cmdline` or its `environ`."""
    for path in Path("/proc").glob(f"[0-9]*/{kind}"):
        try:
            yield int(path.parent.name), path.read_bytes()
        except OSError:  # it has ended, or hides what it has
            continue
