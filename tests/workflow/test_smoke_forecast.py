"""What is said of the files of a run before it starts, against what the finished smoke run has on its disk."""

import pytest

from trakway.forecast import calibration, forecast
from trakway.forecast.pace import Pace
from trakway.plan import modality_of, projection_name

UNKNOWN = ("data/", "targets/caption_states")
"""What only the data tell: how many tokens and captions there are."""


@pytest.fixture(autouse=True)
def nothing_is_timed(monkeypatch):
    monkeypatch.setattr(calibration, "pace", lambda run, wanted, device: (run(1), Pace(0.0, 1.0))[1])


@pytest.mark.parametrize("name", ["fashion_resnet", "digits_ddpm", "reviews_bert", "fashion_ldm"])
def test_bytes_of_every_array_and_of_all_weights(smoke, name):
    tree = smoke.of(name)
    settings = tree.settings
    found = forecast(settings).files
    paths = [path for path in tree.results.rglob("*") if path.suffix in (".npy", ".safetensors")]
    there = {path.relative_to(tree.results).as_posix(): path.stat().st_size for path in paths}
    there = {file: size for file, size in there.items() if not any(part[0] == "." for part in file.split("/"))}
    own = projection_name(settings["projection"])
    # The ablation's own features are no part of a run.
    there = {
        file: size
        for file, size in there.items()
        if file.split("/")[:2] in (["features", own],) or file[:9] != "features/"
    }
    unknown = {file for file in there if file.startswith(UNKNOWN) and file not in found}
    assert len(found) > 40
    assert found == {file: size for file, size in there.items() if file not in unknown}
    if not modality_of(settings).encodes:
        assert not unknown
