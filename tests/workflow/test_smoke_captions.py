"""What the smoke run leaves of an experiment with latent diffusion models that read captions."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr


@pytest.fixture
def run(smoke):
    return smoke.of("fashion_ldm")


@pytest.fixture
def table(run):
    return lambda name: pd.read_csv(run.results / f"tables/{name}.csv")


@pytest.fixture
def targets(run):
    return pd.read_parquet(run.results / "targets/targets.parquet")


def test_targets(run, targets):
    settings = run.settings
    count, real, exchanged, tuning = (settings["targets"][key] for key in ("count", "real", "exchanged", "tuning"))
    assert exchanged > 0
    shown = targets.drop_duplicates("target")
    assert (
        shown["kind"].tolist()
        == ["generated"] * count + ["test"] * real + ["exchanged"] * exchanged + ["generated"] * tuning
    )
    assert (targets["caption"] != "").all()
    examples = pd.read_parquet(run.results / "data/examples.parquet")
    known = {caption: row.label for row in examples.itertuples() for caption in row.captions}
    typed = settings["targets"]["captions"]
    assert typed
    assert not known.keys() & set(typed)
    assert shown["caption"].tolist()[: len(typed)] == typed
    assert all(known.get(row.caption, -1) == row.label for row in targets.itertuples())
    assert (targets["label"] < 0).sum() == (targets["caption"].isin(typed)).sum() > 0
    steps = len(settings["journey"]["timesteps"])
    for name, shape in (("images", (len(shown),)), ("noisy", (len(shown), steps)), ("estimates", (len(shown), steps))):
        latents, pictures = (np.load(run.results / f"targets/{start}{name}.npy") for start in ("latent_", ""))
        assert latents.shape == (*shape, 4, 8, 8)
        assert pictures.shape == (*shape, 1, 32, 32)


def test_latents_and_captions_are_written_once(run):
    latents = np.load(run.results / "data/train_latents.npy")
    np.testing.assert_allclose(latents.mean((0, 2, 3)), 0, atol=1e-3)
    np.testing.assert_allclose(latents.std((0, 2, 3)), 1, atol=1e-3)
    config = json.loads((run.results / "data/autoencoder/config.json").read_text())
    assert config["_class_name"] == "AutoencoderKL"
    checkpoints = sorted((run.results / "train/members/models").glob("*/config.json"))
    assert {json.loads(path.read_text())["_class_name"] for path in checkpoints} == {"UNet2DConditionModel"}


def test_caption_similarity(run, targets):
    """Equal captions are as alike as it gets; the step does not matter."""
    scores = np.load(run.results / "scores/caption.npy")
    train = pd.read_parquet(run.results / "data/examples.parquet").query("split == 'train'")
    evaluated = targets[targets["role"] == "evaluation"]
    assert scores.shape == (len(evaluated), len(train))
    same = evaluated["label"].to_numpy()[:, None] == train["label"].to_numpy()[None]
    assert scores[same].mean() > scores[~same].mean() + 0.05
    for _, part in evaluated.groupby("target"):
        assert np.ptp(scores[part.index], axis=0).max() < 1e-5


def test_agreement(run, table):
    rows, asked = table("captions"), run.settings["captions"]
    labels = {}
    for ensemble, name in (("reference", "reference"), ("evaluation", "bank")):
        samples = asked["samples" if name == "reference" else "bank"]
        folders = sorted((run.results / f"captions/{ensemble}").iterdir())
        labels[name] = pd.read_parquet(folders[0] / "prompts.parquet")["label"].to_numpy()
        probabilities = np.concatenate([np.load(folder / "probabilities.npy") for folder in folders])
        probabilities = probabilities[:1] if name == "reference" else probabilities
        row = rows[(rows["model"] == name) & (rows["caption"] == "all")].iloc[0]
        assert row["agreement"] == pytest.approx(probabilities[:, np.arange(samples), labels[name]].mean(), abs=1e-6)
        assert (row["samples"], row["models"]) == (samples, len(probabilities))
    np.testing.assert_array_equal(labels["reference"][: asked["bank"]], labels["bank"])


def test_exchange(run, table, targets):
    rows, words = table("caption_exchange"), table("caption_words")
    scores = np.load(run.results / "scores/journey_trak.npy")
    steps = run.settings["journey"]["timesteps"]
    assert rows["timestep"].fillna(-1).tolist() == [*steps, -1]
    for step in steps:
        at = targets[targets["timestep"].eq(step).fillna(False) & (targets["role"] == "evaluation")]
        other = at[at["kind"] == "exchanged"]
        found = [spearmanr(scores[_entry(targets, row.row, step)], scores[row.Index]) for row in other.itertuples()]
        expected = np.mean([one.statistic for one in found])
        assert rows.loc[rows["timestep"] == step, "correlation"].item() == pytest.approx(expected)
    assert (words["caption"] != words["other"]).all()
    assert words["words"].str.contains("→").all()


def _entry(targets, target, step):
    """Return the entry of a whole sample at a step."""
    same = (targets["target"] == target) & targets["timestep"].eq(step).fillna(False) & (targets["patch"] == "")
    (entry,) = np.flatnonzero(same)
    return entry


def test_a_member_is_exported_as_a_pipeline(finished):
    tree = finished.of("fashion_ldm")
    tree.done("results/smoke/fashion_ldm/exported/members/0")
    index = json.loads((tree.results / "exported/members/0/model_index.json").read_text())
    assert index["_class_name"] == "StableDiffusionPipeline"
    for part in ("unet", "vae", "text_encoder", "tokenizer", "scheduler"):
        assert index[part][0] in ("diffusers", "transformers")
        assert list((tree.results / f"exported/members/0/{part}").iterdir())
