"""The smoke tier from end to end: every file is there and holds what it should."""

import hashlib
import json
import subprocess

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from trakway import plan

TABLES = {
    "lds": [
        "method", "timestep", "lds", "lds_low", "lds_high", "ceiling", "subsets", "seeds", "members", "dim", "ridge"
    ],
    "removal": [
        "method", "side", "k", "fraction", "change", "change_low", "change_high", "flipped", "targets", "seeds"
    ],
    "timing": ["stage", "method", "cpu_seconds", "wall_seconds", "peak_mb"],
    "models": ["ensemble", "index", "seed", "train_size", "accuracy", "loss"],
    "cost": ["method", "models", "cpu_seconds", "lds", "lds_low", "lds_high"],
    "ablation": ["axis", "value", "members", "dim", "ridge", "lds", "lds_low", "lds_high"],
    "lds_pairs": ["method", "against", "difference", "difference_low", "difference_high"],
    "brittleness": ["method", "target", "k"],
    "flip_ratios": ["method", "k", "ratio"],
}  # fmt: skip
FIGURES = ("lds", "cost", "removal", "examples", "training", "ablation")


@pytest.fixture
def table(smoke):
    """Read a table with its named columns; numbers among them are finite unless they may be absent."""
    absent = ("ceiling", "members", "dim", "ridge")

    def read(name):
        rows = pd.read_csv(smoke.results / f"tables/{name}.csv", keep_default_na=False, na_values=[""])
        assert set(TABLES[name]) <= set(rows.columns)
        assert len(rows)
        numbers = rows[TABLES[name]].drop(columns=["timestep", *absent], errors="ignore").select_dtypes("number")
        if name not in ("brittleness", "flip_ratios"):  # where nothing flips there is no k and no ratio
            assert np.isfinite(numbers.to_numpy()).all(), f"{name}: {numbers}"
        return rows

    return read


@pytest.fixture
def arrays(smoke):
    """Read an array, or a folder's shards as one."""

    def read(path):
        path = smoke.results / path
        return np.concatenate([np.load(p) for p in sorted(path.glob("*.npy"))]) if path.is_dir() else np.load(path)

    return read


def test_all_files_are_there_and_nothing_half_written(smoke):
    for name in TABLES:
        assert (smoke.results / f"tables/{name}.csv").stat().st_size > 0
    for name in FIGURES:
        png, pdf = (smoke.results / f"figures/{name}{end}" for end in (".png", ".pdf"))
        assert png.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert pdf.read_bytes()[:5] == b"%PDF-"
        assert min(png.stat().st_size, pdf.stat().st_size) > 5000
    assert not [path for path in smoke.results.rglob(".*")]


def test_the_run_is_calm(smoke):
    """Lines, not walls; no warning by the run or in the log of a job."""
    assert len(smoke.printed.splitlines()) < 100
    for name, text in {
        "the run": smoke.printed,
        **{path.name: path.read_text() for path in (smoke.results / "logs").rglob("*.log")},
    }.items():
        assert "warning" not in text.lower(), f"{name}: {text}"


def test_models(smoke, table, settings):
    """Every model of every ensemble once, in order, trained on as many examples as its subset has."""
    models = table("models")
    sizes = plan.ensemble_sizes(settings)
    assert list(models["ensemble"].unique()) == list(sizes)
    for name, (subsets, seeds) in sizes.items():
        rows = models[models["ensemble"] == name]
        assert rows["index"].tolist() == list(range(subsets * seeds))
        assert rows["seed"].tolist() == list(range(seeds)) * subsets
        masks = np.load(smoke.results / f"subsets/{name}.npy")
        assert masks.shape == (subsets, settings["dataset"]["train_size"])
        assert rows["train_size"].tolist() == masks.sum(1).repeat(seeds).tolist()
    assert models["accuracy"].between(0, 1).all()
    assert (models["loss"] > 0).all()


def test_ensembles_share_neither_models_nor_subsets(smoke, settings):
    digests, masks = {}, {}
    for ensemble, (subsets, seeds) in plan.ensemble_sizes(settings).items():
        files = sorted((smoke.results / f"train/{ensemble}/models").glob("?????.safetensors"))
        assert len(files) == subsets * seeds
        digests |= {hashlib.sha256(file.read_bytes()).hexdigest(): file for file in files}
        masks |= {row.tobytes(): ensemble for row in np.load(smoke.results / f"subsets/{ensemble}.npy")}
    assert len(digests) == sum(subsets * seeds for subsets, seeds in plan.ensemble_sizes(settings).values())
    halves = [sizes[0] for name, sizes in plan.ensemble_sizes(settings).items() if name not in ("reference", "removal")]
    assert sum(ensemble not in ("reference", "removal") for ensemble in masks.values()) == sum(halves)


def test_members_keep_their_checkpoints_and_nobody_else(smoke, settings):
    kept = settings["training"]["checkpoints"]
    for ensemble, (subsets, seeds) in plan.ensemble_sizes(settings).items():
        files = list((smoke.results / f"train/{ensemble}/models").glob("*.safetensors"))
        assert len(files) == subsets * seeds * (kept if ensemble == "members" else 1)


def test_lds(table, arrays, settings):
    """The LDS of every method is what its scores, the subsets and the retrained models say."""
    rows = table("lds").set_index("method")
    bank = settings["bank"]["evaluation"]
    assert rows.index.tolist() == settings["methods"]
    assert rows["timestep"].isna().all()
    assert (rows["subsets"] == bank["subsets"]).all()
    assert (rows["seeds"] == bank["seeds"]).all()
    assert rows.loc["trak", ["members", "dim"]].tolist() == [
        settings["members"]["count"],
        settings["projection"]["dim"],
    ]
    assert rows.loc["trak", "ridge"] in settings["scores"]["ridge"]
    assert rows.loc[["pixel", "random", "datamodel"], ["members", "dim", "ridge"]].isna().all(axis=None)
    assert (rows["ceiling"].isna() if bank["seeds"] == 1 else rows["ceiling"].between(-1, 1)).all()
    masks = arrays("subsets/evaluation.npy").astype(float)
    outputs = arrays("outputs/evaluation").reshape(len(masks), bank["seeds"], -1).mean(1)
    for method, row in rows.iterrows():
        scores = arrays(f"scores/{method}.npy").astype(float)
        assert scores.shape == (settings["targets"]["count"], settings["dataset"]["train_size"])
        pairs = [(masks @ tau, truth) for tau, truth in zip(scores, outputs.T, strict=False)]
        found = [spearmanr(guess, truth).statistic if np.ptp(guess) > 0 else 0 for guess, truth in pairs]
        assert row["lds"] == pytest.approx(np.mean(found), abs=1e-9)
        assert -1 <= row["lds_low"] <= row["lds"] <= row["lds_high"] <= 1


def test_trak_scores_are_those_of_the_features(smoke, arrays, settings):
    """TRAK by its definition, in float64, from the features the run has left."""
    record = json.loads((smoke.results / "scores/trak.json").read_text())
    count, kind = settings["targets"]["count"], plan.projection_name(settings["projection"])
    shards = sorted((smoke.results / f"features/{kind}/{settings['training']['checkpoints'] - 1}").iterdir())
    total, weights = 0, 0
    for folder in shards:
        train, slopes, targets = (
            np.load(folder / f"{name}.npy").astype(float) for name in ("train", "weights", "targets")
        )
        for phi, q, z in zip(train, slopes, targets[:, :count], strict=True):
            kernel = phi.T @ phi
            kernel += record["options"]["ridge"] * np.diag(kernel).mean() * np.eye(len(kernel))
            total, weights = total + z @ np.linalg.solve(kernel, phi.T), weights + q
    expected = total * weights / settings["members"]["count"] ** 2
    assert np.abs(arrays("scores/trak.npy") - expected).max() < 1e-4 * np.abs(expected).max()


def test_removal(table, arrays, smoke, settings):
    """Change of the margin: mean of the models without the examples less mean of the reference models."""
    rows, removal = table("removal"), settings["removal"]
    expected = {(r.method, r.side, r.fraction) for r in plan.removal_rows(removal)}
    assert {(r.method, r.side, r.fraction) for r in rows.itertuples()} == expected
    assert (rows["seeds"] == removal["seeds"]).all()
    assert (rows["k"] == (rows["fraction"] * settings["dataset"]["train_size"]).round()).all()
    assert rows["flipped"].dropna().between(0, 1).all()
    assert (rows["change_low"] <= rows["change"]).all()
    assert (rows["change"] <= rows["change_high"]).all()
    drawn = pd.read_parquet(smoke.results / "subsets/removal.parquet")
    before = arrays("outputs/reference").mean(0)
    after = arrays("outputs/removal").reshape(len(drawn), removal["seeds"], -1).mean(1)
    top = drawn[(drawn["method"] == "trak") & (drawn["side"] == "top") & (drawn["fraction"] == removal["fractions"][0])]
    change = np.mean([after[i, target] - before[target] for i, target in top["target"].items()])
    row = rows[(rows["method"] == "trak") & (rows["side"] == "top") & (rows["fraction"] == removal["fractions"][0])]
    assert len(top) == removal["targets"]
    assert row["change"].item() == pytest.approx(change, abs=1e-9)


def test_removal_subsets_lack_the_examples_with_the_highest_scores(arrays, smoke):
    drawn = pd.read_parquet(smoke.results / "subsets/removal.parquet")
    for row, mask in zip(drawn.itertuples(), arrays("subsets/removal.npy"), strict=True):
        assert (~mask).sum() == row.k
        if row.side != "random":
            scores = arrays(f"scores/{row.method}.npy")[row.target] * (1 if row.side == "top" else -1)
            assert scores[~mask].min() >= scores[mask].max()


def test_ablation_and_cost(table, settings):
    ablation, lds = table("ablation"), table("lds").set_index("method")["lds"]
    for axis in ("members", "dim", "ridge", "projection", "checkpoints"):
        found = ablation.loc[ablation["axis"] == axis, "value"].tolist()
        assert found == [str(value) if isinstance(value, str) else f"{value:g}" for value in settings["ablation"][axis]]
    assert {"with Q", "without Q", "paper", "joint"} <= set(ablation["value"])
    for axis, value in (("members", settings["members"]["count"]), ("dim", settings["projection"]["dim"])):
        row = ablation[(ablation["axis"] == axis) & (ablation["value"] == str(value))]
        assert row["lds"].item() == pytest.approx(lds["trak"], abs=1e-9)
    cost = table("cost")
    assert set(cost["method"]) == set(settings["methods"])
    assert (cost["cpu_seconds"] > 0).all()
    last = cost.groupby("method", sort=False)["lds"].last()  # with all models
    assert last.to_dict() == pytest.approx(lds.to_dict(), abs=1e-9)


def test_timing_and_provenance(smoke, table, settings):
    timing = table("timing")
    stages = set(zip(timing["stage"], timing["method"].fillna(""), strict=True))
    assert {(stage, name) for stage in ("train", "outputs") for name in plan.ensemble_sizes(settings)} <= stages
    assert {("scores", name) for name in settings["methods"]} <= stages
    assert {(stage, "") for stage in ("data", "representations", "lds", "cost", "removal")} <= stages
    assert (timing[["cpu_seconds", "wall_seconds", "peak_mb"]] > 0).all(axis=None)
    record = json.loads((smoke.results / "provenance.json").read_text())
    head = subprocess.run(["git", "-C", str(smoke.folder), "rev-parse", "HEAD"], capture_output=True, text=True)
    assert record["revision"] == {"commit": head.stdout.strip(), "changed": False}
    assert record["settings"] == settings
    assert record["tier"] == "smoke"
    assert {"torch", "torchvision", "numpy", "scipy", "pandas", "snakemake"} <= record["packages"].keys()
    assert record["hardware"].keys() >= {"processor", "cores", "memory_gib", "gpu"}
    assert record["cpu_seconds"] == pytest.approx(timing["cpu_seconds"].sum())
    assert len(record["stages"]) == len(timing)
    assert record["data"]["counts"] == {
        "train": settings["dataset"]["train_size"],
        "test": settings["dataset"]["test_size"],
    }
    assert record["trakway"]
    assert record["python"]


def test_targets(smoke, settings):
    targets = pd.read_parquet(smoke.results / "targets/targets.parquet")
    count, tuning = settings["targets"]["count"], settings["targets"]["tuning"]
    assert targets["role"].tolist() == ["evaluation"] * count + ["tuning"] * tuning
    assert targets["row"].is_unique


def test_second_call_has_nothing_to_do(smoke):
    assert "Nothing to be done" in smoke.done("smoke")


def test_report(smoke, tmp_path):
    """One page with the captions of all figures and tables."""
    page = tmp_path / "report.html"
    smoke.done("smoke", "--report", str(page))
    text = page.read_text()
    for name in (*(f"{name}.png" for name in FIGURES), "lds.csv", "removal.csv", "models.csv", "timing.csv"):
        assert name in text
