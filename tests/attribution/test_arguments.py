import argparse
from pathlib import Path

import pytest

from trakway.attribution import arguments
from trakway.plan import modalities

SETTINGS = {"seed": 5, "task": "image_diffusion"}


@pytest.fixture
def parse(monkeypatch):
    """Parse words and return what `load_material` would be called with: (inputs, all else by name)."""

    def call(*words, **more):
        monkeypatch.setattr(arguments, "load_material", lambda inputs, **given: (inputs, given))
        parser = argparse.ArgumentParser()
        arguments.add_material_arguments(parser)
        parsed = parser.parse_args(["--data", "d", "--targets", "t.parquet", *words])
        return arguments.material_of(argparse.Namespace(**vars(parsed), **more), SETTINGS)

    return call


KNOWN = {"seed": 5, "modality": modalities()["image_diffusion"], "data": Path("d"), "targets": Path("t.parquet")}


def test_what_is_left_out_stays_empty(parse):
    assert parse() == ({}, KNOWN | {"block": 4096, "device": "cpu"})


def test_every_argument_goes_where_it_belongs(parse):
    words = (
        "--input features f/{}/train.json@4/2 f/{}/targets.json@4/2 --input checkpoints c/0.json c/1.json"
        " --input representations r/train.npy r/targets.npy --input labels --block 64"
        " --input estimation e.npy o/{}.npy@5/3"
    )
    shards = ["00000-00002", "00002-00004"]
    inputs = {
        "features": [Path(f"f/{shard}/{name}.json") for name in ("train", "targets") for shard in shards],
        "checkpoints": [Path("c/0.json"), Path("c/1.json")],
        "representations": [Path("r/train.npy"), Path("r/targets.npy")],
        "labels": [],
        "estimation": [Path("e.npy"), Path("o/00000-00003.npy"), Path("o/00003-00005.npy")],
    }
    assert parse(*words.split(), device="cuda") == (inputs, KNOWN | {"block": 64, "device": "cuda"})


def test_an_input_that_there_is_not(parse, capsys):
    with pytest.raises(SystemExit):
        parse("--input", "fetures", "f/train.json")
    assert "--input: found fetures; allowed: features, checkpoints, norm" in capsys.readouterr().err


def test_the_evaluation_bank():
    parser = argparse.ArgumentParser()
    arguments.add_bank_arguments(parser)
    parsed = parser.parse_args(["--subsets", "s.npy", "--outputs", "o/{}.npy@4/2", "more.npy"])
    assert parsed.subsets == Path("s.npy")
    assert parsed.outputs == [Path("o/00000-00002.npy"), Path("o/00002-00004.npy"), Path("more.npy")]
