"""A notebook with the data and the members of the smoke run gives its scores, to the bit."""

import json

import numpy as np
import torch

import trakway as tw
from trakway.data import ImageData
from trakway.models import build_model
from trakway.storage.files import read_json, read_table


def test_scores_are_those_of_the_workflow(smoke):
    run = smoke.of("fashion_resnet")
    settings, data = run.settings, ImageData.load(run.results / "data")
    # With the targets for tuning, as the workflow makes features: rounding can depend on what is computed together.
    rows = read_table(run.results / "targets/targets.parquet")["row"].to_numpy()

    def examples(split, rows):
        images = data.batch(split, rows).to("cpu", memory_format=torch.channels_last)
        return images, np.array(getattr(data, f"{split}_labels")[rows])

    def build():
        return build_model(settings["model"], data.shape, len(data.classes)).to(memory_format=torch.channels_last)

    train = examples("train", np.arange(len(data.train_labels)))
    task = tw.task(build, train=train, targets=examples("test", rows), seed=settings["seed"], device="cpu")
    shards = [read_json(path) for path in sorted((run.results / "train/members").glob("*-*.json"))]
    files = [model["checkpoints"][-1]["file"] for shard in shards for model in shard["models"]]
    members = tw.load(task, [run.results / "train/members/models" / file for file in files])
    options = json.loads((run.results / "scores/trak.json").read_text())["options"]
    found = tw.score("trak", tw.featurize(task, members, **settings["projection"]), **options)
    assert np.array_equal(found[: settings["targets"]["count"]], np.load(run.results / "scores/trak.npy"))
