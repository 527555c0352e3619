import numpy as np
import pytest

from trakway.attribution import Features, Material


@pytest.fixture
def material():
    """Random material of 30 examples, 7 targets and 3 members, for every method; outputs that follow TRAK a little."""
    rng = np.random.default_rng(0)
    n, targets, members, subsets = 30, 7, 3, 40

    def normal(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    def entries():
        weights = rng.uniform(0.1, 1, (members, n)).astype(np.float32)
        return [Features(normal(n, 6), normal(targets, 6), weights[m]) for m in range(members)]

    return Material(
        seed=0,
        size=n,
        targets=targets,
        features=entries(),
        checkpoints=[entries(), entries()],
        representations=[(normal(n, 4), normal(targets, 4)) for _ in range(members)],
        images=(normal(n, 1, 4, 4), normal(targets, 1, 4, 4)),
        labels=(rng.integers(0, 2, n), rng.integers(0, 2, targets)),
        masks=rng.random((subsets, n)) < 0.5,
        outputs=rng.standard_normal((subsets, targets)),
        norm=entries(),
        windows={100: entries(), 400: entries()},
    )
