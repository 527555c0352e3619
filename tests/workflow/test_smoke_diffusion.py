"""What the smoke run leaves of an experiment with diffusion models."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import spearmanr

from trakway import plan


@pytest.fixture
def run(smoke):
    return smoke.of("digits_ddpm")


@pytest.fixture
def settings(run):
    return run.settings


@pytest.fixture
def steps(settings):
    return settings["journey"]["timesteps"]


@pytest.fixture
def targets(run):
    return pd.read_parquet(run.results / "targets/targets.parquet")


@pytest.fixture
def table(run):
    return lambda name: pd.read_csv(run.results / f"tables/{name}.csv")


def test_targets(run, settings, steps, targets):
    """Of each sample its whole, its steps and its patches; of each real image its whole; then samples for tuning."""
    count, real, tuning = (settings["targets"][key] for key in ("count", "real", "tuning"))
    whole = [(None, ""), *((step, "") for step in steps)]
    patches = [(patch["timestep"], patch["name"]) for patch in settings["journey"]["patches"]]
    assert patches
    expected = [(image, "generated", *entry, "evaluation") for image in range(count) for entry in whole + patches]
    expected += [(count + image, "test", None, "", "evaluation") for image in range(real)]
    expected += [(count + real + image, "generated", *entry, "tuning") for image in range(tuning) for entry in whole]
    rows = targets[["target", "kind", "timestep", "patch", "role"]].astype({"timestep": object})
    found = [(*row[:2], None if pd.isna(row[2]) else row[2], *row[3:]) for row in rows.itertuples(index=False)]
    assert found == expected
    shape = 1, 8, 8
    arrays = {name: np.load(run.results / f"targets/{name}.npy") for name in ("images", "noisy", "estimates")}
    assert arrays["images"].shape == (count + real + tuning, *shape)
    assert arrays["noisy"].shape == arrays["estimates"].shape == (count + real + tuning, len(steps), *shape)
    assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in arrays.values())
    test = np.load(run.results / "data/test_images.npy")
    labels = pd.read_parquet(run.results / "data/examples.parquet").query("split == 'test'")["label"].to_numpy()
    shown = targets[targets["kind"] == "test"]
    assert shown["row"].is_unique
    np.testing.assert_array_equal(shown["label"], labels[shown["row"]])
    np.testing.assert_allclose(arrays["images"][shown["target"]], test[shown["row"]] / 127.5 - 1, atol=1e-6)
    assert (targets.loc[targets["kind"] == "generated", "label"] == -1).all()
    assert json.loads((run.results / "targets/timesteps.json").read_text()) == steps


def features(run, settings, function):
    """Return of each member: training features, their weights, and target features; float64."""
    kind = plan.projection_name(settings["projection"])
    shards = sorted((run.results / f"features/{kind}/{function}/0").iterdir())
    names = ["train", "weights"] + ["targets"] * (function[:6] != "window")  # those of a window are of the output
    parts = [zip(*(np.load(shard / f"{name}.npy").astype(float) for name in names), strict=True) for shard in shards]
    return [member for part in parts for member in part]


@pytest.mark.parametrize("method", ["trak", "journey_trak", "journey_window", "d_trak", "journey_d_trak"])
def test_scores_are_those_of_the_features(run, settings, targets, method):
    """The estimator in float64, from the features the run has left; f is minus the loss, so that Q is left out."""
    assert not settings["scores"]["weights"]
    record = json.loads((run.results / f"scores/{method}.json").read_text())
    evaluated = targets[targets["role"] == "evaluation"]
    entries = np.arange(len(evaluated))
    whole = evaluated["timestep"].isna() & (evaluated["patch"] == "")
    if method in ("trak", "d_trak"):
        entries = evaluated["target"].map(dict(zip(evaluated["target"][whole], entries[whole], strict=True))).to_numpy()
    own = features(run, settings, "norm" if "d_trak" in method else "output")
    found = np.load(run.results / f"scores/{method}.npy")
    for step in [None, *settings["journey"]["timesteps"]]:
        same = evaluated["timestep"].isna() if step is None else evaluated["timestep"] == step
        here = np.flatnonzero(same.fillna(False))
        window = method == "journey_window" and step is not None
        total = 0
        for (_, q, z), (phi, *_) in zip(own, features(run, settings, f"window-{step}") if window else own, strict=True):
            assert (q == 1).all()
            kernel = phi.T @ phi
            kernel += record["options"]["ridge"] * np.diag(kernel).mean() * np.eye(len(kernel))
            total = total + z[entries[here]] @ np.linalg.solve(kernel, phi.T) / len(own)
        assert np.abs(found[here] - total).max() < 1e-4 * np.abs(total).max()


def test_gradients_of_windows_have_no_targets_of_their_own(run, settings, steps):
    kind = plan.projection_name(settings["projection"])
    for step in steps:
        files = {path.name for path in (run.results / f"features/{kind}/window-{step}").rglob("*.*")}
        assert files == {"train.npy", "weights.npy", "train.json"}


def test_checkpoints_are_those_of_diffusers(run, settings):
    from diffusers import DDPMScheduler, UNet2DModel

    for ensemble, (subsets, seeds) in plan.ensemble_sizes(settings).items():
        folders = sorted(path for path in (run.results / f"train/{ensemble}/models").iterdir() if path.is_dir())
        assert len(folders) == (0 if ensemble == "domain" else subsets * seeds)
        for folder in folders[:1]:
            model, info = UNet2DModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
            assert not info["missing_keys"]
            assert not info["unexpected_keys"]
            assert tuple(model.config.block_out_channels) == tuple(settings["model"]["widths"])
            assert (model.config.in_channels, model.config.sample_size) == (1, 8)
            scheduler = DDPMScheduler.from_pretrained(folder, local_files_only=True)
            assert scheduler.config.num_train_timesteps == settings["diffusion"]["timesteps"]
            assert scheduler.config.beta_schedule == settings["diffusion"]["schedule"]


def test_completions(run, settings, steps):
    """Two streams of the original model, one of the others; of a removal its own target, of the control every one."""
    removal = settings["removal"]
    drawn = pd.read_parquet(run.results / "subsets/removal.parquet")
    count = removal["completions"]
    for ensemble in ("reference", "removal"):
        index, arrays = [], {"features": [], "probabilities": []}
        for folder in sorted((run.results / f"completions/{ensemble}").iterdir()):
            index.append(pd.read_parquet(folder / "index.parquet"))
            for name, parts in arrays.items():
                parts.append(np.load(folder / f"{name}.npy"))
        index = pd.concat(index)
        assert not index.duplicated().any()
        assert (index["ensemble"] == ensemble).all()
        if ensemble == "reference":
            expected = {
                (model, target, step, stream)
                for model in range(removal["reference"])
                for target in range(removal["targets"])
                for step in steps
                for stream in (["original"] if model == 0 else []) + ["retrained"]
            }
        else:
            expected = {
                (row * removal["seeds"] + seed, target, step, "retrained")
                for row, own in drawn["target"].items()
                for seed in range(removal["seeds"])
                for target in ([own] if own >= 0 else range(removal["targets"]))
                for step in steps
            }
        assert set(index[["model", "target", "timestep", "stream"]].itertuples(index=False, name=None)) == expected
        probabilities = np.concatenate(arrays["probabilities"])
        assert probabilities.shape == (len(index), count, 10)
        np.testing.assert_allclose(probabilities.sum(2), 1, atol=1e-5)
        assert np.isfinite(np.concatenate(arrays["features"])).all()


def test_shift(settings, table):
    rows, removal = table("shift"), settings["removal"]
    (fraction,) = removal["fractions"]
    k = round(fraction * settings["dataset"]["train_size"])
    kinds = {("same model", 0), ("retrained", 0), ("random", k), *((method, k) for method in removal["methods"])}
    expected = {(method, step, size) for method, size in kinds for step in removal["timesteps"]}
    assert set(zip(rows["method"], rows["timestep"], rows["k"], strict=True)) == expected
    assert len(rows) == len(expected)
    assert (rows["fid"] >= 0).all()
    for name in ("fid", "kid"):
        assert (rows[f"{name}_low"] <= rows[name]).all()
        assert (rows[name] <= rows[f"{name}_high"]).all()
        against = rows.set_index(["timestep", "method"])[name]
        for row in rows.itertuples():
            difference = getattr(row, f"{name}_over_random")
            if row.method in removal["methods"]:
                expected = against[row.timestep, row.method] - against[row.timestep, "random"]
                assert difference == pytest.approx(expected, abs=1e-9)
            else:
                assert pd.isna(difference)
    assert (rows["targets"] == removal["targets"]).all()
    assert (rows["completions"] == removal["completions"]).all()
    assert (rows.loc[rows["method"] == "random", "repeats"] == removal["random"]).all()
    assert set(rows["features"]) == {"classifier on digits: resnet_small"}


def test_emergence(run, settings, steps, table):
    rows, removal = table("emergence"), settings["removal"]
    images = [*range(removal["targets"]), -1]
    expected = {(t, group, step) for t in images for group in ("original", "removed", "random") for step in steps}
    assert set(zip(rows["target"], rows["group"], rows["timestep"], strict=True)) == expected
    assert len(rows) == len(expected)
    assert rows["probability"].between(0, 1).all()
    assert (rows["probability_low"] <= rows["probability"]).all()
    assert (rows["probability"] <= rows["probability_high"]).all()
    own = rows[rows["target"] >= 0]
    assert own["emergence_timestep"].isin(removal["timesteps"]).all()
    classes = json.loads((run.results / "data/meta.json").read_text())["classes"]
    folder = sorted((run.results / "completions/reference").iterdir())[0]
    index = pd.read_parquet(folder / "index.parquet")
    probabilities, final = (np.load(folder / f"{name}.npy") for name in ("probabilities", "final"))
    for row in own[own["group"] == "original"].itertuples():
        label = int(final[row.target].argmax())
        assert row.label == classes[label]
        drawn = (index["model"] == 0) & (index["stream"] == "original")
        (place,) = np.flatnonzero(drawn & (index["target"] == row.target) & (index["timestep"] == row.timestep))
        assert row.probability == pytest.approx(probabilities[place, :, label].astype(float).mean(), abs=1e-6)
    means = own.groupby(["group", "timestep"])["probability"].mean()
    for row in rows[rows["target"] == -1].itertuples():
        assert row.probability == pytest.approx(means[row.group, row.timestep], abs=1e-9)


def test_timestep_correlation(run, settings, steps, targets, table):
    """The rank correlation of the scores of two steps, averaged over samples: 1 with itself, the same both ways."""
    rows = table("timestep_correlation").set_index(["method", "timestep", "other"])
    methods = plan.step_methods(settings)
    assert set(rows.index) == {(method, one, other) for method in methods for one in steps for other in steps}
    assert (rows["targets"] == settings["targets"]["count"]).all()
    whole = (targets["role"] == "evaluation") & (targets["patch"] == "")
    place = {step: np.flatnonzero(whole & (targets["timestep"] == step).fillna(False)) for step in steps}
    for method in methods:
        scores = np.load(run.results / f"scores/{method}.npy")
        for one in steps:
            assert rows.loc[(method, one, one), "correlation"] == pytest.approx(1)
            for other in steps:
                pairs = zip(scores[place[one]], scores[place[other]], strict=True)
                found = [spearmanr(*pair).statistic for pair in pairs]
                expected = np.nan_to_num(found, nan=float(one == other)).mean()  # of scores that are all the same
                assert rows.loc[(method, one, other), "correlation"] == pytest.approx(expected, abs=1e-9)


def test_animation(run, steps):
    with Image.open(run.results / "figures/animation.gif") as animation:
        assert animation.format == "GIF"
        assert animation.n_frames >= len(steps)
        frames = []
        for number in range(animation.n_frames):
            animation.seek(number)
            frames.append(np.array(animation.convert("RGB")))
    assert all(frame.std() > 0 for frame in frames)
    assert any((frame != frames[0]).any() for frame in frames[1:])


def test_the_domain_is_trained_on_everything(run, settings):
    assert np.load(run.results / "subsets/domain.npy").all()
    train, own = (np.load(run.results / f"representations/{name}.npy") for name in ("train", "targets"))
    assert train.shape[:2] == (1, settings["dataset"]["train_size"])
    assert own.shape[1] == len(pd.read_parquet(run.results / "targets/targets.parquet"))
