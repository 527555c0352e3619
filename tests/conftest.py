import os
from pathlib import Path

import pytest
from hypothesis import settings

# Hypothesis' own profile for test runs: no deadlines, the same examples every time.
settings.load_profile("ci")

# One thread a process, as the workflow runs it; must come before torch and NumPy start their pools.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")


@pytest.fixture(scope="session")
def environment():
    """The environment of a process that imports the library, wherever it runs."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """The folder of a prepared data set: 40 training and 20 test images of coats and shirts, 28x28."""
    from trakway.data import prepare

    folder = tmp_path_factory.mktemp("prepared")
    dataset = {"name": "fashion_mnist", "source": "packed", "classes": ["coat", "shirt"]}
    prepare(dataset | {"train_size": 40, "test_size": 20}, 0, folder)
    return folder


@pytest.fixture
def experiment():
    """The sections of an experiment that decide a small model."""
    return {
        "task": "image_classification",
        "seed": 0,
        "model": {"name": "resnet_small", "widths": [4, 8]},
        "training": {
            "optimizer": "sgd",
            "epochs": 4,
            "steps": None,
            "batch_size": 10,
            "learning_rate": 0.1,
            "momentum": 0.9,
            "weight_decay": 5e-4,
            "warmup": 0.25,
            "augmentation": "crop_flip",
            "precision": "float32",
            "checkpoints": 2,
            "ema": None,
            "paired": False,
        },
    }


@pytest.fixture
def task(prepared, experiment):
    from trakway.tasks import build_task

    return build_task(experiment, prepared)
