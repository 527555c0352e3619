"""Data as scripts: a page that is opened from a folder may read nothing else.

Each file calls one function with a name and plain data. Nothing in the data can end the script or be run: outside of
strings there is nothing but numbers and brackets, and in strings what could end a line or a script is escaped.
"""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd

ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029\x7f"}


def write_script(folder: Path, name: str, value: object) -> None:
    """Write ``data/NAME.js``.

    Args:
        folder: of the explorer.
        name: of the data, perhaps with a folder of its own: ``targets/3``.
        value: of mappings, lists, texts, numbers, arrays of NumPy and missing values, which become null.
    """
    path = folder / "data" / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"trakway.receive({script_text(name)}, {script_text(value)});\n", encoding="ascii")


def script_text(value: object) -> str:
    """Return JSON in ASCII that a script may hold, wherever it stands."""
    return json.dumps(plain(value), ensure_ascii=True, allow_nan=False, separators=(",", ":")).translate(ESCAPED)


def plain(value: object) -> object:
    """Return a value in what JSON has: NaN, infinities and pandas' missing values become None."""
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | np.ndarray | pd.Series):
        return [plain(inner) for inner in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no plain data")


def table_data(table: pd.DataFrame) -> dict:
    """Return a table as ``columns`` and ``rows``."""
    return {"columns": list(table.columns), "rows": [list(row) for row in table.itertuples(index=False, name=None)]}
