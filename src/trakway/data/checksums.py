"""The checksums that lie beside every pack: one file ``SHA256SUMS``, as ``sha256sum`` reads and writes it."""

from collections.abc import Iterable
from pathlib import Path

from trakway.data.idx import DamagedFile
from trakway.storage.files import replacing
from trakway.storage.fingerprint import file_digest

CHECKSUMS = "SHA256SUMS"


def write_checksums(folder: Path, names: Iterable[str]) -> None:
    """Write ``SHA256SUMS`` of the files ``names`` of a folder, sorted by name."""
    lines = [f"{file_digest(folder / name)}  {name}\n" for name in sorted(names)]
    with replacing(folder / CHECKSUMS) as temporary:
        temporary.write_text("".join(lines))


def intact(path: Path) -> Path:
    """Return the path of a packed file, which has the checksum that lies beside it.

    Raises:
        DamagedFile: it has another one, or none is known of it, or one of the two files is not there.
    """
    try:
        known = dict(reversed(line.split()) for line in (path.parent / CHECKSUMS).read_text().splitlines())
        found = file_digest(path)
    except OSError as error:
        raise DamagedFile(f"{error.filename}: cannot be read ({error.strerror}); fetch the file again") from error
    if found != known.get(path.name):
        raise DamagedFile(f"{path}: SHA-256 differs from {CHECKSUMS}; fetch the file again")
    return path
