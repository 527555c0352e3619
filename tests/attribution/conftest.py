import numpy as np
import pytest

from trakway.attribution import Features, Material


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
        "images": (rng.integers(0, 256, (n, 1, 4, 4), np.uint8), rng.integers(0, 256, (targets, 1, 4, 4), np.uint8)),
        "labels": (rng.integers(0, 2, n), rng.integers(0, 2, targets)),
        "masks": rng.random((20, n)) < 0.5,
        "outputs": rng.standard_normal((20, targets)),
    }
    return Material(seed=seed, size=n, targets=targets, **(made | changes))


@pytest.fixture(scope="session")
def random_material():
    return _random_material


@pytest.fixture(scope="session")
def scores_of():
    """Call a method: returns its scores, float32 (targets, n), every number of them written."""

    def call(score, material: Material, **options) -> np.ndarray:
        out = np.full((material.targets, material.size), np.nan, np.float32)
        score(material, out, **options)
        assert np.isfinite(out).all()
        return out

    return call
