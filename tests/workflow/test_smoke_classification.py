"""What the smoke run leaves of an experiment of classification."""

import json

import numpy as np
import pandas as pd
import pytest

from trakway import plan


@pytest.fixture
def run(smoke):
    return smoke.of("fashion_resnet")


def test_trak_scores_are_those_of_the_features(run):
    """TRAK by its definition, in float64, from the features the run has left."""
    settings = run.settings
    record = json.loads((run.results / "scores/trak.json").read_text())
    count, kind = settings["targets"]["count"], plan.projection_name(settings["projection"])
    shards = sorted((run.results / f"features/{kind}/output/{settings['training']['checkpoints'] - 1}").iterdir())
    total, weights = 0, 0
    for folder in shards:
        train, slopes, targets = (
            np.load(folder / f"{name}.npy").astype(float) for name in ("train", "weights", "targets")
        )
        for phi, q, z in zip(train, slopes, targets[:, :count], strict=True):
            kernel = phi.T @ phi
            kernel += record["options"]["ridge"] * np.diag(kernel).mean() * np.eye(len(kernel))
            total, weights = total + z @ np.linalg.solve(kernel, phi.T), weights + q
    expected = total * weights / settings["members"]["count"] ** 2
    assert np.abs(np.load(run.results / "scores/trak.npy") - expected).max() < 1e-4 * np.abs(expected).max()


def test_targets(run):
    targets = pd.read_parquet(run.results / "targets/targets.parquet")
    count, tuning = run.settings["targets"]["count"], run.settings["targets"]["tuning"]
    assert targets["role"].tolist() == ["evaluation"] * count + ["tuning"] * tuning
    assert targets["row"].is_unique
