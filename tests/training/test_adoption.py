import importlib.util
import json
import shutil
from argparse import Namespace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from trakway.errors import UserError
from trakway.storage.fingerprint import file_digest
from trakway.training import adopt, load_model
from trakway.training.checkpoint import save_checkpoint

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture
def checkpoints(denoising, tmp_path):
    """Three of a user's: a folder as we write it, one of a network alone, and one of a pipeline."""
    from diffusers import DDIMScheduler, DDPMPipeline

    paths = [tmp_path / name for name in ("ours", "network", "pipeline")]
    save_checkpoint(denoising, denoising.new_model(0), paths[0])
    denoising.new_model(1).save_pretrained(paths[1])
    # Another scheduler of the same noise.
    DDPMPipeline(unet=denoising.new_model(2), scheduler=DDIMScheduler(100)).save_pretrained(paths[2])
    return paths


def test_adopted_checkpoints_are_described_as_trained_ones(denoising, checkpoints):
    models, curves, cost = adopt(denoising, checkpoints, range(1, 3))
    folders = [checkpoints[1], checkpoints[2] / "unet"]
    assert models == [
        {
            "index": index,
            "subset": None,
            "seed": 0,
            "train_size": 40,
            "loss": None,
            "checkpoints": [{"file": str(folder), "sha256": file_digest(folder)}],
            "learning_rates": [1.0],
        }
        for index, folder in enumerate(folders, 1)
    ]
    assert curves == []
    assert cost == {"cpu_seconds": 0, "wall_seconds": 0, "peak_mb": 0}
    assert json.loads(json.dumps(models)) == models


def test_adopted_models_are_loaded_from_where_they_are(denoising, checkpoints, tmp_path):
    models = adopt(denoising, checkpoints, range(3))[0]
    for seed, model in enumerate(models):
        loaded = load_model(denoising, tmp_path / "nowhere/models", model)
        assert not loaded.training
        assert torch.equal(loaded.conv_in.weight, denoising.new_model(seed).conv_in.weight)


def test_a_checkpoint_changed_since_is_refused_with_other_advice(denoising, checkpoints, tmp_path):
    models = adopt(denoising, checkpoints, range(3))[0]
    denoising.new_model(3).save_pretrained(checkpoints[1])
    shutil.rmtree(checkpoints[2])
    with pytest.raises(UserError, match=r"checkpoint .*/network: not the one that was recorded .*--forcerun train"):
        load_model(denoising, tmp_path, models[1])
    with pytest.raises(UserError, match=r"checkpoint .*/pipeline/unet: not found; .*--forcerun train"):
        load_model(denoising, tmp_path, models[2])


def test_relative_paths_are_of_the_working_directory(denoising, checkpoints, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert adopt(denoising, ["ours"], range(1))[0][0]["checkpoints"][0]["file"] == str(checkpoints[0])
    monkeypatch.setenv("HOME", str(tmp_path))
    assert adopt(denoising, ["~/ours"], range(1))[0][0]["checkpoints"][0]["file"] == str(checkpoints[0])


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_folder_that_holds_no_checkpoint(denoising, tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=rf"members.checkpoints: checkpoint .*/{name}: .*; list folders that save_pret"):
        adopt(denoising, [tmp_path / name], range(1))


def test_a_network_of_other_images(denoising, checkpoints):
    denoising.sizes = denoising.sizes | {"in_channels": 3}
    words = "members.checkpoints: checkpoint .*/network: does not fit .* in_channels is 1, not 3; list folders"
    with pytest.raises(UserError, match=words):
        adopt(denoising, checkpoints, range(1, 2))


@pytest.mark.parametrize("name", ["scheduler_config.json", "scheduler/scheduler_config.json"])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"num_train_timesteps": 50},
            "timesteps 50, .* and the experiment has num_train_timesteps 100.*; set timesteps",
        ),
        ({"beta_schedule": "squaredcos_cap_v2"}, "beta_schedule squaredcos_cap_v2.*the experiment .* linear"),
        ({"beta_end": 0.03}, "beta_end 0.03, .* beta_end 0.02"),
        ({"prediction_type": "v_prediction"}, "prediction_type v_prediction, .* prediction_type epsilon"),
        ({"rescale_betas_zero_snr": True}, "rescale_betas_zero_snr True, and .*; experiments have no rescale_betas"),
        ({"trained_betas": [0.01] * 100}, "trained_betas of its own, and .*; experiments have no trained_betas; list"),
    ],
)
def test_a_network_trained_on_other_noise(denoising, checkpoints, name, change, words):
    place = 2 if "/" in name else 0
    file = checkpoints[place] / name
    adopt(denoising, checkpoints, range(3))
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(UserError, match=rf"members.checkpoints: {file} has .*{words}"):
        adopt(denoising, checkpoints, range(place, place + 1))


@pytest.mark.parametrize("content", ["", "3", '{"beta_schedule": "none"}', '{"num_train_timesteps": "many"}'])
def test_a_schedule_that_cannot_be_read(denoising, checkpoints, content):
    file = checkpoints[0] / "scheduler_config.json"
    file.write_text(content)
    with pytest.raises(UserError, match=rf"members.checkpoints: {file} does not describe a noise schedule"):
        adopt(denoising, checkpoints, range(1))


def test_fewer_checkpoints_than_members(denoising, checkpoints):
    with pytest.raises(UserError, match="members.checkpoints: found 3, and member 3 is asked for; .* members.count"):
        adopt(denoising, checkpoints, range(2, 4))


def test_a_task_of_another_format(task, checkpoints):
    with pytest.raises(UserError, match="members.checkpoints: .*ours is a folder, and the models of Image"):
        adopt(task, checkpoints, range(3))


@pytest.fixture
def script(denoising, experiment, prepared, tmp_path, monkeypatch):
    """Run scripts/train.py; returns its JSON and its curves."""
    monkeypatch.setattr("trakway.tasks.build_task", lambda *arguments: denoising)
    spec = importlib.util.spec_from_file_location("train_script", SCRIPTS / "train.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    np.save(tmp_path / "subsets.npy", np.ones((3, 40), bool))

    def script(adopted):
        arguments = Namespace(
            settings=json.dumps(experiment),
            data=prepared,
            ensemble="members",
            subsets=tmp_path / "subsets.npy",
            seeds=1,
            shard="00001-00003",
            adopt=adopted,
            curves=tmp_path / "curves.parquet",
            output=tmp_path / "train/00001-00003.json",
            device="cpu",
        )
        module.main(arguments)
        return json.loads(arguments.output.read_text()), pd.read_parquet(arguments.curves)

    return script


def test_the_script_takes_adopted_checkpoints(script, denoising, checkpoints, tmp_path):
    shard, curves = script([str(path) for path in checkpoints])
    assert shard == {
        "ensemble": "members",
        "folder": "models",
        "models": adopt(denoising, checkpoints, range(1, 3))[0],
    }
    assert not (tmp_path / "train/models").exists()
    # What the next scripts read.
    assert len(pd.DataFrame(shard["models"])[["index", "subset", "seed", "train_size", "loss"]]) == 2
    trained = script(None)[1]
    assert len(trained) == 2 * 4
    assert len(curves) == 0
    assert list(curves.columns) == list(trained.columns)
    both = pd.concat([curves, trained])
    assert dict(both.dtypes) == dict(trained.dtypes)


def test_state_dicts_of_a_classifier(task, tmp_path):
    model = task.new_model(3).eval()
    save_checkpoint(task, model, tmp_path / "mine.safetensors")
    (described,), *_ = adopt(task, [tmp_path / "mine.safetensors"], range(1))
    assert (described["subset"], described["loss"]) == (None, None)
    loaded = load_model(task, tmp_path / "nowhere", described)
    torch.testing.assert_close(loaded.state_dict(), model.state_dict(), rtol=0, atol=0)
    with torch.no_grad():
        next(model.parameters())[0] = float("nan")
    save_checkpoint(task, model, tmp_path / "mine.safetensors")
    with pytest.raises(UserError, match=r"members.checkpoints: .*mine.safetensors: found NaN or infinity in .*weight"):
        adopt(task, [tmp_path / "mine.safetensors"], range(1))
    (tmp_path / "mine.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match="members.checkpoints: checkpoint .*: not a whole safetensors file"):
        adopt(task, [tmp_path / "mine.safetensors"], range(1))
