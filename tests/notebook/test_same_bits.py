"""A notebook gives what the functions give that the scripts call, to the bit."""

import numpy as np
import pytest
import torch

import trakway as tw
from trakway.attribution.material import Material
from trakway.attribution.reading import load_features
from trakway.attribution.scoring import run_method
from trakway.features.extraction import Extractor
from trakway.features.members import Member
from trakway.models import build_model
from trakway.plan import methods_of
from trakway.projection import VERSION
from trakway.storage.files import write_json
from trakway.tasks import build_task
from trakway.training import Ensemble, load_model, train_shard

SCORES = {"ridge": 0.1, "soft_threshold": 0, "weights": True, "average": "paper"}


@pytest.fixture
def workflow(prepared, experiment, tmp_path):
    """(training section, state dicts, TRAK scores of all test examples) as the scripts make them, two members."""
    experiment["training"] |= {"augmentation": "none", "checkpoints": 1}
    task = build_task(experiment, prepared)
    ensemble = Ensemble("members", tw.random_subsets(0, "members", 40, 2, 0.5), 1)
    records, _, _ = train_shard(task, ensemble, range(2), experiment["training"], "", tmp_path / "models")
    members = [Member(i, "", lambda i=i: load_model(task, tmp_path / "models", records[i])) for i in range(2)]
    projection = {"kind": "sjlt", "dim": 32, "nonzeros": 1}
    extractor = Extractor(task, members, projection, 50)
    extractor.write_targets(tmp_path / "features", np.arange(20))
    parameters, _ = extractor.write_train(tmp_path / "features")
    info = {"projection": projection, "definition": VERSION, "parameters": parameters, "function": "output"}
    write_json(tmp_path / "features/targets.json", info)
    write_json(tmp_path / "features/train.json", {**info, "learning_rates": [1.0, 1.0]})
    material = Material(0, 40, 20, features=load_features([tmp_path / "features"]))
    scores = np.empty((20, 40), np.float32)
    chosen = methods_of({"task": experiment["task"], "methods": ["trak"], "scores": SCORES})["trak"]
    run_method(chosen, material, 20, scores)
    return experiment["training"], [member.load().state_dict() for member in members], scores


@pytest.fixture
def notebook(prepared, experiment):
    """The same task made of tensors, in the layout in which the workflow keeps pictures."""
    data = build_task(experiment, prepared).data

    def examples(split):
        images = data.batch(split, np.arange(len(getattr(data, f"{split}_labels"))))
        return images.to("cpu", memory_format=torch.channels_last), getattr(data, f"{split}_labels")

    def build():
        return build_model(experiment["model"], (1, 28, 28), 2).to(memory_format=torch.channels_last)

    return tw.task(build, train=examples("train"), targets=examples("test"), seed=experiment["seed"], device="cpu")


def test_scores_of_the_same_state_dicts(workflow, notebook):
    _, states, scores = workflow
    found = tw.score("trak", tw.featurize(notebook, tw.load(notebook, states), dim=32), **SCORES)
    assert np.array_equal(found, scores)


def test_scores_of_the_same_seeds(workflow, notebook):
    training, states, scores = workflow
    options = {key: value for key, value in training.items() if key != "augmentation"}
    members = tw.train(notebook, tw.random_subsets(0, "members", 40, 2, 0.5), **options)
    for model, state in zip(members, states, strict=True):
        assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())
    assert np.array_equal(tw.score("trak", tw.featurize(notebook, members, dim=32), **SCORES), scores)
