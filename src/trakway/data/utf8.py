"""Files of the user's own that hold text: UTF-8, with or without a byte order mark."""

import warnings
from pathlib import Path

import pandas as pd

from trakway.errors import UserError


def read_delimited(file: Path, separator: str = ",") -> pd.DataFrame:
    """Read a table whose first line is the heading; every value is text, empty where there is none.

    Raises:
        UserError: it is not UTF-8 (names line and byte), or no such table.
    """
    options = {"sep": separator, "dtype": str, "keep_default_na": False, "encoding": "utf-8", "index_col": False}
    try:
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            table = pd.read_csv(file, header=None, nrows=1, **options), pd.read_csv(file, **options).fillna("")
    except UnicodeDecodeError as error:
        raise not_utf8(file) from error
    except pd.errors.ParserWarning:
        raise UserError(
            f"{file}: found rows with more fields than the heading; allowed: as many; put texts that hold the separator"
            f" ({separator!r}) in quotes"
        ) from None
    except (ValueError, OSError) as error:  # pandas' errors are of these
        raise UserError(f"{file}: cannot be read as {file.suffix[1:]} ({' '.join(str(error).split())})") from error
    names = table[0].iloc[0].tolist()
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"{file}: found the column {twice[0]!r} twice; allowed: names of their own; rename one")
    return table[1]


def read_lines(file: Path) -> list[str]:
    """Return the lines of a file that are not blank, without white space around them.

    Raises:
        UserError: it is not UTF-8 (names line and byte), or cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_utf8(file) from error
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}); check its name and permissions") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def not_utf8(file: Path) -> UserError:
    """Return the error of a file in another encoding, with the line and byte at which it shows."""
    for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            return UserError(
                f"{file}, line {number}: byte {error.start + 1} (0x{line[error.start]:02x}) is not UTF-8; allowed:"
                " UTF-8; save the file in it, e.g. iconv -f latin1 -t utf-8"
            )
    raise AssertionError("found no line that is not UTF-8")
