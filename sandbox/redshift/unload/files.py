"""The files of an UNLOAD: their names, their rows while they are gathered, and their way to S3."""

import bz2
import datetime as dt
import gzip
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import zstandard

from sandbox.redshift.copy.s3 import S3Object
from sandbox.redshift.transfer_log import TransferredFile, utc_now
from sandbox.redshift.unload.columns import UnloadColumn
from sandbox.redshift.unload.command import UnloadOptions
from sandbox.redshift.unload.lines import Row, header_line, line_writer
from sandbox.redshift.unload.parquet import kept_line, write_parquet

# Rows are held until so many bytes of them are, in all files together.
_HELD_BYTES = 8 * 1024 * 1024
_SUFFIXES = {"GZIP": ".gz", "BZIP2": ".bz2", "ZSTD": ".zst"}
# Hive's name of the folder for NULL (the guide's page "UNLOAD", PARTITION BY).
_NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"

Upload = Callable[[Path, S3Object], None]


@dataclass
class _Part:
    """One file that rows still go to."""

    folder: str
    number: int
    path: Path
    start_time: dt.datetime
    rows: int = 0
    size: int = 0
    held: list[str] = field(default_factory=list)


class UnloadFiles:
    """Parts rows by the columns of PARTITION BY and by size, and uploads every file that is full.

    Args:
        prefix: Where the files go.
        columns: The query's.
        keys: The positions of the columns of PARTITION BY.
        options: The UNLOAD's.
        folder: For the files while they are made.
        upload: Writes one to S3.

    Raises:
        CopyError: The options do not fit the columns.
    """

    def __init__(
        self,
        prefix: S3Object,
        columns: Sequence[UnloadColumn],
        keys: tuple[int, ...],
        options: UnloadOptions,
        *,
        folder: Path,
        upload: Upload,
    ) -> None:
        self._prefix, self._keys, self._options = prefix, keys, options
        self._names = [columns[at].name for at in keys]
        self._kept = [at for at in range(len(columns)) if options.include or at not in keys]
        self._columns = [columns[at] for at in self._kept]
        self._drops = len(self._kept) < len(columns)
        self._folder, self._upload = folder, upload
        self._is_parquet = options.data_format == "PARQUET"
        self._line = kept_line if self._is_parquet else line_writer(self._columns, options)
        self._header = header_line(self._columns, options) if options.header else ""
        self._parts: dict[str, _Part] = {}
        self._numbers: dict[str, int] = {}
        self._held = 0
        self._made = 0
        self.written: list[TransferredFile] = []

    @property
    def columns(self) -> list[UnloadColumn]:
        """The columns that the files have."""
        return self._columns

    def add(self, row: Row) -> None:
        """Keep a row.

        Raises:
            CopyError: It does not fit, or S3 refuses a file that is full.
        """
        folder = self._partition(row) if self._keys else ""
        part = self._parts.get(folder) or self._new(folder)
        line = self._line([row[at] for at in self._kept] if self._drops else row)
        size = len(line) if line.isascii() else len(line.encode())
        if part.rows and part.size + size > self._options.max_file_size:
            self._finish(self._parts.pop(folder))
            part = self._new(folder)
        part.held.append(line)
        part.rows += 1
        part.size += size
        self._held += size
        if self._held > _HELD_BYTES:
            self._keep()

    def finish(self) -> None:
        """Upload what is left.

        Raises:
            CopyError: S3 refuses.
        """
        while self._parts:
            _, part = self._parts.popitem()
            self._finish(part)
        self.written.sort(key=lambda file: file.url)

    def _partition(self, row: Row) -> str:
        """The folder of a row, such as ``year=2019/month=9/``."""
        values = (row[at] for at in self._keys)
        pairs = zip(self._names, values, strict=True)
        # A slash would begin another folder; Hive writes it so.
        return "".join(
            f"{name}={_NULL_FOLDER if value is None else value.rstrip().replace('/', '%2F')}/"
            for name, value in pairs
        )

    def _new(self, folder: str) -> _Part:
        number = self._numbers.get(folder, 0)
        self._numbers[folder] = number + 1
        self._made += 1
        part = _Part(folder, number, self._folder / f"{self._made}.rows", utc_now())
        self._parts[folder] = part
        if self._header:
            part.held.append(self._header)
            part.size = len(self._header.encode())
        return part

    def _keep(self) -> None:
        """Move the rows that are held to the disk."""
        for part in self._parts.values():
            if part.held:
                with part.path.open("ab") as file:
                    file.write("".join(part.held).encode())
                part.held.clear()
        self._held = 0

    def _finish(self, part: _Part) -> None:
        with part.path.open("ab") as file:
            file.write("".join(part.held).encode())
        made = self._made_file(part)
        target = S3Object(self._prefix.bucket, self._prefix.key + part.folder + self._name(part))
        size = made.stat().st_size
        self._upload(made, target)
        lines = part.rows + bool(self._header)  # the header counts, too
        self.written.append(TransferredFile(target.url, size, part.start_time, utc_now(), lines))
        made.unlink()
        part.path.unlink(missing_ok=True)

    def _made_file(self, part: _Part) -> Path:
        """The file as it goes to S3: as Parquet, compressed, or as it is."""
        target = part.path.with_suffix(".out")
        if self._is_parquet:
            write_parquet(part.path, target, self._columns)
        elif self._options.compression:
            with part.path.open("rb") as plain, _packed(target, self._options.compression) as packed:
                shutil.copyfileobj(plain, packed, 1024 * 1024)
        else:
            return part.path
        return target

    def _name(self, part: _Part) -> str:
        """`0000_part_00` for the one slice there is, `000` with PARALLEL OFF, and what stands behind it."""
        name = f"0000_part_{part.number:02d}" if self._options.parallel else f"{part.number:03d}"
        if self._options.extension is not None:
            return f"{name}.{self._options.extension.removeprefix('.')}"
        return name + (".parquet" if self._is_parquet else _SUFFIXES.get(self._options.compression or "", ""))


def _packed(path: Path, compression: str) -> IO[bytes]:
    if compression == "GZIP":
        return gzip.open(path, "wb", compresslevel=6)  # type: ignore[return-value]
    if compression == "BZIP2":
        return bz2.open(path, "wb")
    return zstandard.open(path, "wb")  # type: ignore[no-any-return]
