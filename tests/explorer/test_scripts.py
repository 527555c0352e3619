import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway.explorer.scripts import plain, script_text, table_data, write_script


@given(st.text())
def test_any_text_is_read_back_and_no_script_can_end_in_it(text):
    written = script_text({"key": text})
    assert json.loads(written) == {"key": text}
    assert written.isascii()
    assert not re.search("[<>&\u2028\u2029\n\r]", written)


def test_a_script_is_one_call(tmp_path):
    write_script(tmp_path, "targets/3", {"a": [1, "</script>"]})
    assert (
        tmp_path / "data/targets/3.js"
    ).read_text() == 'trakway.receive("targets/3", {"a":[1,"\\u003c/script\\u003e"]});\n'


def test_what_is_missing_is_null():
    value = {"a": [np.float32(0.5), np.nan, np.inf, pd.NA, None, np.int64(3), np.True_], 4: np.arange(2)}
    assert plain(value) == {"a": [0.5, None, None, None, None, 3, True], "4": [0, 1]}


def test_what_is_no_data_is_refused():
    with pytest.raises(TypeError, match="object is no plain data"):
        plain({"a": object()})


def test_tables():
    table = pd.DataFrame({"name": ["x"], "t": pd.array([None], "Int64"), "value": [0.25]})
    assert plain(table_data(table)) == {"columns": ["name", "t", "value"], "rows": [["x", None, 0.25]]}
