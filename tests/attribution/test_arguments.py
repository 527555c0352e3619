import argparse
import inspect
from pathlib import Path

import pytest

from trakway.attribution import arguments
from trakway.attribution.loading import load_material


@pytest.fixture
def parse(monkeypatch):
    """Parse words and return what `load_material` would be called with, by name."""

    def call(*words, **more):
        monkeypatch.setattr(arguments, "load_material", lambda *given: given)
        parser = argparse.ArgumentParser()
        arguments.add_material_arguments(parser)
        parsed = parser.parse_args(["--data", "d", "--targets", "t.parquet", *words])
        given = arguments.material_of(argparse.Namespace(**vars(parsed), **more), seed=5)
        return dict(zip(inspect.signature(load_material).parameters, given, strict=True))

    return call


def test_what_is_left_out_stays_empty(parse):
    given = parse()
    defaults = {p.name: p.default for p in inspect.signature(load_material).parameters.values()}
    empty = {"features": [], "checkpoints": [], "norm": [], "windows": [], "outputs": []}
    assert given == defaults | empty | {"seed": 5, "data": Path("d"), "targets": Path("t.parquet")}


def test_every_argument_goes_where_it_belongs(parse):
    words = (
        "--features f/0 f/1 --checkpoints c/0 c/1 --representations r --norm n/0 n/1 --windows w/0"
        " --estimation-subsets e.npy --estimation-outputs o/0.npy o/1.npy --estimation-seeds 3 --block 64"
    )
    assert parse(*words.split(), device="cuda") == {
        "seed": 5,
        "data": Path("d"),
        "targets": Path("t.parquet"),
        "features": [Path("f/0"), Path("f/1")],
        "checkpoints": [Path("c/0"), Path("c/1")],
        "representations": Path("r"),
        "norm": [Path("n/0"), Path("n/1")],
        "windows": [Path("w/0")],
        "masks": Path("e.npy"),
        "outputs": [Path("o/0.npy"), Path("o/1.npy")],
        "seeds_per_subset": 3,
        "block": 64,
        "device": "cuda",
    }
