"""The lines of the README run as they stand."""

import re
from pathlib import Path

from matplotlib.figure import Figure

README = Path(__file__).parents[2] / "README.md"


def test_ten_lines_in_a_notebook():
    section = README.read_text().split("## Ten lines in a notebook")[1]
    found: dict = {}
    exec(re.search(r"```python\n(.*?)```", section, re.DOTALL).group(1), found)
    lds = found["table"].set_index("method")["lds"]
    assert lds["trak"] > lds["pixel"]
    assert isinstance(found["bars"], Figure)
    assert isinstance(found["pictures"], Figure)
