"""Names of files that cannot be keys of S3 are named, and the others are found."""

import os
from pathlib import Path

from sparkify.s3.upload import find_files


def test_what_cannot_be_a_key_is_named_and_the_others_are_found(tmp_path: Path):
    folder = tmp_path / "log_data"
    folder.mkdir()
    (folder / "good.json").write_text("{}")
    (folder / "red\x1b[31m.json").write_text("{}")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.json")).write_text("{}")
    os.mkfifo(folder / "pipe.json")

    found = find_files(tmp_path, ["log_data"])

    assert list(found.files) == ["log_data/good.json"]
    assert list(found.ignored) == ["log_data/pipe.json"]
    assert sorted(found.problems) == [
        rf"{folder}/caf\xe9.json has a name that is not UTF-8, as keys of S3 must be: rename it",
        rf"{folder}/red\x1b[31m.json has control characters in its name: rename it",
    ]
