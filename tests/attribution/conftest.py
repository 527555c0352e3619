import dataclasses

import numpy as np
import pytest

from trakway.attribution.material import Material
from trakway.attribution.values import Documents, EstimationBank, Features, Pictures
from trakway.projection import VERSION
from trakway.storage.files import write_array, write_json


def _random_material(
    seed: int = 0, n: int = 12, dim: int = 5, members: int = 2, targets: int = 3, checkpoints: int = 2, **changes
) -> Material:
    """Make material of random numbers, everything present; ``changes`` replace what was drawn."""
    rng = np.random.default_rng(seed)

    def normal(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    def entry(rate: float = 1.0) -> Features:
        return Features(normal(n, dim), normal(targets, dim), rng.uniform(0.1, 1, n).astype(np.float32), rate)

    kept = [[entry(rate=0.5 + index) for _ in range(members)] for index in range(checkpoints)]
    made = {
        "features": [entry() for _ in range(members)],
        "checkpoints": kept,
        "representations": [(normal(n, 4), normal(targets, 4)) for _ in range(members)],
        "examples": Pictures(*(rng.integers(0, 256, (rows, 1, 4, 4), np.uint8) for rows in (n, targets, targets))),
        "texts": Documents(
            *(np.array([f"word{row % 4} {row}" for row in range(rows)], object) for rows in (n, targets))
        ),
        "captions": (normal(n, 5), normal(targets, 5)),
        "metagradients": {
            (at, start): [normal(targets, n) for _ in range(2)] for at in ("full", "middle") for start in (0, 0.5)
        },
        **{
            kind: {damping: [normal(targets, n) for _ in range(members)] for damping in (0.1, 1.0)}
            for kind in ("ekfac", "ekfac_cg")
        },
        "labels": (rng.integers(0, 2, n), rng.integers(0, 2, targets)),
        "estimation": EstimationBank(rng.random((20, n)) < 0.5, rng.standard_normal((20, targets))),
    }
    return Material(seed=seed, size=n, targets=targets, **(made | changes))


@pytest.fixture(scope="session")
def random_material():
    return _random_material


STEPS = (700, 300)


def _journey_material(seed: int = 0, n: int = 12, dim: int = 5, members: int = 2, **changes) -> Material:
    """Make material of a diffusion experiment: two samples (whole, 700, 300), a real image (whole), another sample.

    As `load_material` makes it: all training features differ, and windows have no targets.
    """
    targets = 10
    other = _random_material(seed + 1, n, dim, members, targets, checkpoints=1 + len(STEPS))
    norm, *around = other.checkpoints
    made = _random_material(seed, n, dim, members, targets)
    rng = np.random.default_rng(seed)
    whole = [-1, *STEPS]
    windows = {
        step: [dataclasses.replace(entry, targets=None) for entry in entries]
        for step, entries in zip(STEPS, around, strict=True)
    }
    added = {
        "norm": norm,
        "windows": windows,
        "labels": None,
        "checkpoints": (),
        "examples": dataclasses.replace(made.examples, seen=rng.uniform(-1, 1, (targets, 1, 4, 4)).astype(np.float32)),
        "timesteps": np.array([*whole, *whole, -1, *whole]),
        "final": np.repeat([0, 3, 6, 7], [3, 3, 1, 3]),
    }
    return made.replace(**(added | changes))


@pytest.fixture(scope="session")
def journey_material():
    return _journey_material


@pytest.fixture(scope="session")
def estimator():
    """TRAK's estimator by its formula: explicit inverses, float64; (targets, n) of any targets' features."""

    def call(members, targets, ridge=0.0, soft_threshold=0.0, weights=True, average="paper"):
        qs, parts = [], []
        for entry, own in zip(members, targets, strict=True):
            phi = np.float64(entry.train)
            kernel = phi.T @ phi
            inverse = np.linalg.inv(kernel + ridge * np.diag(kernel).mean() * np.eye(len(kernel)))
            parts.append(np.float64(own) @ inverse @ phi.T)
            qs.append(np.float64(entry.weights) if weights else np.ones(len(phi)))
        paper = np.mean(qs, 0) * np.mean(parts, 0)
        tau = paper if average == "paper" else np.mean([q * part for q, part in zip(qs, parts, strict=True)], 0)
        return np.sign(tau) * np.maximum(np.abs(tau) - soft_threshold * tau.std(1, keepdims=True), 0)

    return call


@pytest.fixture(scope="session")
def scores_of():
    """Call a method: returns its scores, float32 (targets, n), every number of them written."""

    def call(score, material: Material, **options) -> np.ndarray:
        out = np.full((material.targets, material.size), np.nan, np.float32)
        score(material, out, **options)
        assert np.isfinite(out).all()
        return out

    return call


def _write_shards(folder, members, cut, checkpoint=0, function="output"):
    """Write members' features in shards that end at ``cut``, and what describes them; returns the folders."""
    folders = []
    for start, stop in zip([0, *cut], cut, strict=False):
        part = members[start:stop]
        folders.append(folder / function / str(checkpoint) / f"{start}-{stop}")
        for name in ("train", "targets", "weights"):
            if part[0].targets is not None or name != "targets":
                write_array(folders[-1] / f"{name}.npy", np.stack([getattr(entry, name) for entry in part]))
        info = {"projection": {"kind": "sjlt", "dim": 5, "nonzeros": 1}, "definition": VERSION, "parameters": 99}
        info |= {"function": function, "checkpoint": checkpoint, "members": list(range(start, stop))}
        if part[0].targets is not None:
            write_json(folders[-1] / "targets.json", info)
        write_json(folders[-1] / "train.json", info | {"learning_rates": [entry.learning_rate for entry in part]})
    return folders


@pytest.fixture(scope="session")
def write_shards():
    return _write_shards
