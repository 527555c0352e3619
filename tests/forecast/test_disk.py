from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from trakway.config import load_experiment
from trakway.forecast.disk import array_bytes, completion_sets, entries_of, tensors_bytes
from trakway.generation.completions import completion_rows
from trakway.plan import removal_rows

EXPERIMENTS = Path(__file__).parents[2] / "config/experiments"


@pytest.mark.parametrize(("shape", "dtype"), [((3,), np.bool_), ((10, 20, 300), np.float32), ((2, 0), np.float64)])
def test_arrays(tmp_path, shape, dtype):
    np.save(tmp_path / "array.npy", np.zeros(shape, dtype))
    assert array_bytes(shape, dtype) == (tmp_path / "array.npy").stat().st_size


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
@pytest.mark.parametrize("names", [["w"], ["b.weight", "a.weight", "b.bias", "counter", "half"]])
def test_weights(tmp_path, names, metadata):
    types = {"counter": torch.int64, "half": torch.float16}
    tensors = {name: torch.zeros(7, 300 + n, dtype=types.get(name, torch.float32)) for n, name in enumerate(names)}
    save_file(tensors, tmp_path / "weights.safetensors", metadata)
    assert tensors_bytes(tensors, metadata) == (tmp_path / "weights.safetensors").stat().st_size


def test_entries_of_samples():
    journey = {"timesteps": [100, 300], "patches": [{"name": "corner"}]}
    targets = {"count": 5, "tuning": 3, "real": 4, "exchanged": 2}
    found = entries_of({"task": "latent_diffusion", "targets": targets, "journey": journey})
    # 5 samples of a whole, two steps and a patch; 4 pictures; 2 under another caption; 3 for tuning.
    assert (found.evaluation, found.total, found.images) == (5 * 4 + 4 + 2 * 3, 30 + 3 * 3, 5 + 4 + 2 + 3)
    found = entries_of({"task": "image_diffusion", "targets": targets, "journey": journey})
    assert (found.evaluation, found.images) == (5 * 4 + 4, 12)


def test_sets_of_completions():
    removal = {"targets": 3, "timesteps": [300], "fractions": [0.1, 0.2], "sides": ["top"], "methods": ["journey_trak"]}
    removal |= {"random": 2, "seeds": 2, "full_grid": None, "compare_fraction": None}
    settings = load_experiment(EXPERIMENTS / "digits_ddpm.yaml", "smoke")
    settings |= {"methods": [{"method": "journey_trak"}], "journey": {"timesteps": [300, 500]}}
    settings |= {"removal": removal | {"reference": 4, "fixed": 3}}
    rows = pd.DataFrame(removal_rows(removal, ["journey_trak"]))
    for ensemble, models, table, seeds in (
        ("reference", range(4), None, 4),
        ("removal", range(2 * len(rows)), rows, 2),
        ("reference_fixed", range(3), None, 3),
        ("removal_fixed", range(3 * len(rows)), rows, 3),
    ):
        expected = completion_rows(ensemble, models, table, 3, [300, 500], seeds)
        assert completion_sets(settings, ensemble, models) == len(expected)
