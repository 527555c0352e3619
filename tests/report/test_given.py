"""What a figure or a table is given."""

import numpy as np
import pandas as pd
import pytest

from trakway.report.given import given
from trakway.report.parts import Part
from trakway.storage.files import write_array, write_json, write_table


@pytest.fixture
def folder(tmp_path):
    write_table(tmp_path / "tables/x.csv", pd.DataFrame({"a": [1]}))
    for number, method in enumerate(("pixel", "trak")):
        write_array(tmp_path / f"scores/{method}.npy", np.full(2, number))
        write_json(tmp_path / f"scores/{method}.json", {"number": number})
    return tmp_path


def test_files_and_values_by_name(folder):
    part = Part(
        section="",
        caption="",
        reads={
            "table": "tables/x.csv",
            "scores": "scores/{method}.npy",
            "records": "scores/{method}.json",
            "one": "scores/{main}.npy",
            "data": "data/",
        },
        settings={"level": "lds.level"},
    )
    settings = {"task": "image_classification", "methods": ["trak", "pixel"], "lds": {"level": 0.9}}
    found = given(part, folder, settings)
    assert list(found["scores"]) == ["trak", "pixel"]
    assert isinstance(found["scores"]["pixel"], np.memmap)
    assert found["scores"]["trak"].tolist() == [1, 1]
    assert found["records"] == {"trak": {"number": 1}, "pixel": {"number": 0}}
    assert found["one"].tolist() == [1, 1]
    assert found["table"].to_dict("list") == {"a": [1]}
    assert found["data"] == folder / "data"
    assert found["level"] == 0.9
    assert len(found) == 6
