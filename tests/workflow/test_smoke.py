"""The smoke tier from end to end: every file is there and holds what it should, whatever the task."""

import hashlib
import json
import subprocess
import zipfile

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from trakway import plan
from trakway.targets.table import groups

# Columns with a number in every row, and columns that may be empty (a ceiling takes several seeds, a k a flip).
TABLES = {
    "lds": (
        "kind method lds lds_low lds_high subsets seeds targets",
        "timestep ceiling over_ceiling members dim ridge",
    ),
    "lds_pairs": ("kind method against difference difference_low difference_high share", "timestep"),
    "removal": ("method side k fraction change change_low change_high targets seeds repeats", "timestep flipped"),
    "removal_pairs": ("method against side k fraction difference difference_low difference_high", "timestep"),
    "timing": ("stage cpu_seconds wall_seconds peak_mb processor", "method gpu"),
    "models": ("ensemble index seed train_size loss", ""),
    "cost": ("method models cpu_seconds lds lds_low lds_high", "ceiling"),
    "ablation": ("axis value members dim lds lds_low lds_high", "ridge ceiling"),
}
FLIPS = {"brittleness": ("method target", "k"), "flip_ratios": ("method k", "ratio")}
STEPS = {
    "shift": (
        "method timestep k fid fid_low fid_high kid kid_low kid_high moved moved_low moved_high targets seeds repeats "
        "completions features",
        " ".join(f"{name}_over_random{end}" for name in ("fid", "kid", "moved") for end in ("", "_low", "_high")),
    ),
    "shift_pairs": (
        "method against timestep k fid fid_low fid_high kid kid_low kid_high moved moved_low moved_high",
        "",
    ),
    "emergence": (
        "target timestep group k probability probability_low probability_high",
        "label emergence_timestep method",
    ),
    "timestep_correlation": (
        "method timestep other correlation correlation_low correlation_high targets",
        "",
    ),
}
FIXED = {
    name: (f"{TABLES[of][0]} dropped", TABLES[of][1])
    for name, of in (("lds_fixed", "lds"), ("lds_fixed_pairs", "lds_pairs"))
}
REMOVED = {name: TABLES[name.replace("_fixed", "")] for name in ("removal_fixed", "removal_fixed_pairs")}
SHIFTED = {name: STEPS[name.replace("_fixed", "")] for name in ("shift_fixed", "shift_fixed_pairs")}
CAPTIONS = {
    "captions": ("model caption agreement agreement_low agreement_high most_probable samples models", ""),
    "caption_exchange": ("correlation own_class own_chance other_class other_chance samples k", "timestep"),
    "caption_words": ("sample caption other words correlation output other_output", "timestep"),
}
OWN_TABLES = {
    "fashion_resnet": FLIPS,
    "reviews_bert": FLIPS | REMOVED,
    "digits_ddpm": STEPS | FIXED | REMOVED | SHIFTED,
    "fashion_ldm": STEPS | CAPTIONS,
}
OF_STEPS = (
    "journeys", "lds_timesteps", "cost", "shift", "emergence", "timestep_correlation", "localisation", "training",
    "ablation",
)  # fmt: skip
FIGURES = {
    "fashion_resnet": ("lds", "cost", "removal", "examples", "training", "ablation"),
    "reviews_bert": ("lds", "cost", "removal", "removal_fixed", "training", "ablation"),
    "digits_ddpm": (*OF_STEPS, "lds_fixed", "shift_fixed"),
    "fashion_ldm": (*OF_STEPS, "captions"),
}


@pytest.fixture(params=OWN_TABLES)
def run(smoke, request):
    """The finished run, to look at each of its experiments."""
    return smoke.of(request.param)


def steps(settings):
    """Whether targets have outputs at steps of a sampling trajectory."""
    return plan.modality_of(settings).has(needs=("steps",))


def tables_of(run):
    return TABLES | OWN_TABLES[run.name]


@pytest.fixture
def table(run):
    """Read a table with its named columns; numbers are finite where they may not be absent."""

    def read(name):
        rows = pd.read_csv(run.results / f"tables/{name}.csv", keep_default_na=False, na_values=[""])
        full, sparse = (columns.split() for columns in tables_of(run)[name])
        assert {*full, *sparse} <= set(rows.columns)
        assert len(rows)
        assert rows[full].notna().all(axis=None), f"{name}: {rows[full]}"
        assert np.isfinite(rows[full].select_dtypes("number")).all(axis=None), f"{name}: {rows[full]}"
        return rows

    return read


@pytest.fixture
def arrays(run):
    """Read an array, or a folder's shards as one."""

    def read(path):
        path = run.results / path
        return np.concatenate([np.load(p) for p in sorted(path.glob("*.npy"))]) if path.is_dir() else np.load(path)

    return read


@pytest.fixture
def targets(run):
    return pd.read_parquet(run.results / "targets/targets.parquet")


def test_all_files_are_there_and_nothing_half_written(run, table):
    for name in tables_of(run):
        table(name)
    for name in FIGURES[run.name]:
        png, pdf = (run.results / f"figures/{name}{end}" for end in (".png", ".pdf"))
        assert png.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert pdf.read_bytes()[:5] == b"%PDF-"
        assert min(png.stat().st_size, pdf.stat().st_size) > 5000
    of_snakemake = {run.results / "explorer/.snakemake_timestamp"}  # in every folder that is an output
    assert not set(run.results.rglob(".*")) - of_snakemake


def test_the_run_is_calm(smoke):
    """Lines, not walls; no warning by the run or in the log of a job."""
    lines = smoke.printed.splitlines()
    hours, minutes, seconds = map(int, lines[-1].split()[0].split(":"))
    progress = [line for line in lines if " jobs, " in line]  # one in ten seconds at the most
    assert len(progress) <= (3600 * hours + 60 * minutes + seconds) / 10 + 1
    assert len(lines) - len(progress) < 100
    logs = sorted((smoke.folder / "results/smoke").glob("*/logs/**/*.log"))
    assert len(logs) > 100
    texts = {str(path): path.read_text() for path in logs}
    for name, text in {"the run": smoke.printed, **texts}.items():
        assert "warning" not in text.lower(), f"{name}: {text}"


def subsets_of(run, ensemble):
    """Return the subsets of an ensemble, bool (subsets, n); at a fixed seed those of another one."""
    return np.load(run.results / f"subsets/{plan.subsets_of(ensemble)}.npy")


def test_models(run, table):
    """Every model of every ensemble once, in order, trained on as many examples as its subset has."""
    models, settings = table("models"), run.settings
    sizes = plan.ensemble_sizes(settings)
    assert list(models["ensemble"].unique()) == list(sizes)
    for name, (subsets, seeds) in sizes.items():
        rows = models[models["ensemble"] == name]
        assert rows["index"].tolist() == list(range(subsets * seeds))
        assert rows["seed"].tolist() == list(range(seeds)) * subsets
        masks = subsets_of(run, name)
        assert masks.shape == (subsets, settings["dataset"]["train_size"])
        assert rows["train_size"].tolist() == masks.sum(1).repeat(seeds).tolist()
        measure = "test_loss" if steps(settings) else "accuracy"
        measure = {"autoencoder": "reconstruction_error", "domain": "accuracy"}.get(name, measure)
        assert (rows[measure].between(0, 1) if measure == "accuracy" else rows[measure] > 0).all()
    assert (models["loss"] > 0).all()


def checkpoints(run, ensemble):
    """Return the files or folders of an ensemble's final models, and of the earlier checkpoints."""
    found = [
        path
        for path in sorted((run.results / f"train/{ensemble}/models").iterdir())
        if path.is_dir() or path.suffix == ".safetensors"
    ]
    final = [path for path in found if "." not in path.name.removesuffix(".safetensors")]
    return final, [path for path in found if path not in final]


def test_ensembles_share_neither_models_nor_subsets(run):
    digests, masks, different = set(), {}, 0
    for ensemble, (subsets, seeds) in plan.ensemble_sizes(run.settings).items():
        final, _ = checkpoints(run, ensemble)
        assert len(final) == subsets * seeds
        files = [path / "diffusion_pytorch_model.safetensors" if path.is_dir() else path for path in final]
        digests |= {hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        own = {row.tobytes(): ensemble for row in subsets_of(run, ensemble)}
        masks |= {} if ensemble in plan.FIXED else own
        # At a fixed seed two methods that name the same examples have the same model.
        different += (len(own) if ensemble in plan.FIXED else subsets) * seeds
    sizes = plan.ensemble_sizes(run.settings)
    assert len(digests) == different
    drawn = {"members", "evaluation", "estimation"}
    assert sum(ensemble in drawn for ensemble in masks.values()) == sum(sizes[name][0] for name in drawn)


def test_members_keep_their_checkpoints_and_nobody_else(run):
    kept = run.settings["training"]["checkpoints"]
    for ensemble, (subsets, seeds) in plan.ensemble_sizes(run.settings).items():
        _, earlier = checkpoints(run, ensemble)
        assert len(earlier) == subsets * seeds * (kept - 1 if ensemble == "members" else 0)


def test_lds(run, table, arrays, targets):
    """The LDS of every method and group is what its scores, the subsets and the retrained models say."""
    settings, rows = run.settings, table("lds")
    bank, methods = settings["bank"]["evaluation"], list(plan.methods_of(settings))
    assert (rows["subsets"] == bank["subsets"]).all()
    assert (rows["seeds"] == bank["seeds"]).all()
    assert (rows["ceiling"].isna() if bank["seeds"] == 1 else rows["ceiling"].between(0, 1)).all()
    masks = arrays("subsets/evaluation.npy").astype(float)
    outputs = arrays("outputs/evaluation").reshape(len(masks), bank["seeds"], -1).mean(1)
    evaluated = (targets["role"] == "evaluation").sum()
    scores = {method: arrays(f"scores/{method}.npy").astype(float) for method in methods}
    assert {values.shape for values in scores.values()} == {(evaluated, settings["dataset"]["train_size"])}
    place = 0
    for group in groups(targets):
        listed = [name for name in methods if group.timestep is not None or name not in plan.steps_only(settings)]
        part = rows.iloc[place : place + len(listed)].set_index("method")
        place += len(listed)
        assert part.index.tolist() == listed
        assert set(part["kind"]) == {group.kind}
        assert part["timestep"].isna().all() if group.timestep is None else (part["timestep"] == group.timestep).all()
        assert (part["targets"] == len(group.positions)).all()
        for method, row in part.iterrows():
            pairs = [(masks @ scores[method][position], outputs[:, position]) for position in group.positions]
            found = [spearmanr(guess, truth).statistic if np.ptp(guess) > 0 else 0 for guess, truth in pairs]
            assert row["lds"] == pytest.approx(np.mean(found), abs=1e-9)
            assert -1 <= row["lds_low"] <= row["lds"] <= row["lds_high"] <= 1
    assert place == len(rows)


def test_lds_notes_what_was_used(run, table):
    settings, rows = run.settings, table("lds").set_index("method")
    estimators = [name for name, chosen in plan.methods_of(settings).items() if "ridge" in chosen.options]
    assert (rows.loc[estimators, "members"] == settings["members"]["count"]).all()
    assert (rows.loc[estimators, "dim"] == settings["projection"]["dim"]).all()
    assert rows.loc[estimators, "ridge"].isin(settings["scores"]["ridge"]).all()
    without = ("pixel", "bm25", "tfidf", "caption", "random", "datamodel")
    modelless = [method for method in without if method in plan.methods_of(settings)]
    assert rows.loc[modelless, ["members", "dim", "ridge"]].isna().all(axis=None)


def position_of(targets, target, timestep):
    """Return the entry of a whole image at a timestep (missing: of the whole)."""
    if "timestep" not in targets:
        return target
    same = targets["timestep"].isna() if pd.isna(timestep) else (targets["timestep"] == timestep).fillna(False)
    (position,) = np.flatnonzero((targets["target"] == target) & (targets["patch"] == "") & same)
    return position


def test_removal(run, table, arrays, targets):
    """Change of the output: mean of the models without the examples less that of reference models.

    Of paired models those of the same seeds, else all.
    """
    rows, removal = table("removal"), run.settings["removal"]
    steps = removal["timesteps"] or [float("nan")]
    expected = {(r.method, r.side, r.fraction, step) for r in plan.removal_rows(removal) for step in map(str, steps)}
    assert {(r.method, r.side, r.fraction, f"{r.timestep:g}") for r in rows.itertuples()} == expected
    assert len(rows) == len(expected)
    assert (rows["seeds"] == removal["seeds"]).all()
    assert (rows["k"] == (rows["fraction"] * run.settings["dataset"]["train_size"]).round()).all()
    assert rows["flipped"].dropna().between(0, 1).all()
    assert (rows["change_low"] <= rows["change"]).all()
    assert (rows["change"] <= rows["change_high"]).all()
    drawn = pd.read_parquet(run.results / "subsets/removal.parquet")
    paired = run.settings["training"]["paired"]
    before = arrays("outputs/reference")[: removal["seeds"] if paired else None].mean(0)
    after = arrays("outputs/removal").reshape(len(drawn), removal["seeds"], -1).mean(1)
    for row in rows.itertuples():
        same = (drawn["method"] == row.method) & (drawn["side"] == row.side) & (drawn["fraction"] == row.fraction)
        own = drawn[same & (drawn["timestep"].isna() | (drawn["timestep"] == row.timestep).fillna(False))]
        served = [(i, t) for i, t in own["target"].items() for t in ([t] if t >= 0 else range(removal["targets"]))]
        changes = [
            after[i, position_of(targets, t, row.timestep)] - before[position_of(targets, t, row.timestep)]
            for i, t in served
        ]
        assert len(changes) == removal["targets"] * row.repeats
        assert row.change == pytest.approx(np.mean(changes), abs=1e-9)


def test_removal_subsets_lack_the_examples_with_the_highest_scores(run, arrays, targets):
    drawn = pd.read_parquet(run.results / "subsets/removal.parquet")
    for row, mask in zip(drawn.itertuples(), arrays("subsets/removal.npy"), strict=True):
        assert (~mask).sum() == row.k
        if row.side != "random":
            place = position_of(targets, row.target, row.timestep)
            scores = arrays(f"scores/{row.method}.npy")[place] * (1 if row.side == "top" else -1)
            assert scores[~mask].min() >= scores[mask].max()


def test_ablation_and_cost(run, table):
    """Of all that they try, what the experiment has too gives the same numbers."""
    settings, ablation, cost = run.settings, table("ablation"), table("cost")
    lds = table("lds")
    if steps(settings):  # pooled over the steps of samples
        lds = lds[(lds["kind"] == "generated") & lds["timestep"].notna()]
    lds = lds.groupby("method")["lds"].mean()
    for axis in ("members", "dim", "ridge", "projection", "checkpoints"):
        found = ablation.loc[ablation["axis"] == axis, "value"].tolist()
        assert found == [str(value) if isinstance(value, str) else f"{value:g}" for value in settings["ablation"][axis]]
    classification = not steps(settings)
    assert ({"with Q", "without Q", "paper", "joint"} <= set(ablation["value"])) == classification
    for axis, value in (("members", settings["members"]["count"]), ("dim", settings["projection"]["dim"])):
        row = ablation[(ablation["axis"] == axis) & (ablation["value"] == str(value))]
        assert row["lds"].item() == pytest.approx(lds[plan.main_method(settings)], abs=1e-9)
    assert set(cost["method"]) == set(plan.methods_of(settings))
    assert (cost["cpu_seconds"] > 0).all()
    last = cost.groupby("method")["lds"].last()  # with all models
    assert last.to_dict() == pytest.approx(lds.to_dict(), abs=1e-9)


def test_timing_and_provenance(run, table):
    settings, timing = run.settings, table("timing")
    stages = set(zip(timing["stage"], timing["method"].fillna(""), strict=True))
    assert {(stage, name) for stage in ("train", "outputs") for name in plan.ensemble_sizes(settings)} <= stages
    assert {("scores", name) for name in plan.methods_of(settings)} <= stages
    assert {(stage, "") for stage in ("data", "representations", "lds", "cost", "removal")} <= stages
    diffusion = {(stage, "") for stage in ("targets", "shift", "emergence", "timestep_correlation")}
    diffusion |= {("completions", "reference"), ("completions", "removal")}
    assert diffusion <= stages if steps(settings) else not diffusion & stages
    assert (timing[["cpu_seconds", "wall_seconds", "peak_mb"]] > 0).all(axis=None)
    record = json.loads((run.results / "provenance.json").read_text())
    head = subprocess.run(["git", "-C", str(run.folder), "rev-parse", "HEAD"], capture_output=True, text=True)
    assert record["revision"] == {"commit": head.stdout.strip(), "changed": False}
    assert record["settings"] == settings
    assert record["tier"] == "smoke"
    assert {"torch", "torchvision", "numpy", "scipy", "pandas", "snakemake"} <= record["packages"].keys()
    assert record["hardware"].keys() >= {"processor", "cores", "memory_gib", "gpu"}
    assert record["gpus"] == sorted(set(timing["gpu"].dropna()))
    assert record["cpu_seconds"] == pytest.approx(timing["cpu_seconds"].sum())
    assert len(record["stages"]) == len(timing)
    assert record["data"]["counts"] == {
        "train": settings["dataset"]["train_size"],
        "test": settings["dataset"]["test_size"],
    }
    assert record["trakway"]
    assert record["python"]


def test_second_call_has_nothing_to_do(smoke):
    assert "Nothing to be done" in smoke.done("smoke")


def test_one_experiment_after_the_other_each_with_its_report(smoke):
    """What needs no sampling comes first; a page has the captions of all figures and tables of its experiment."""
    done = smoke.python("scripts/run.py", "--tier", "smoke", "--cores", "all")
    assert done.returncode == 0, done.stdout[-5000:]
    said = [line.split()[1].rstrip(",") for line in done.stdout.splitlines() if ", experiment " in line]
    assert said == ["fashion_resnet", "reviews_bert", "digits_ddpm", "fashion_ldm"]
    still = ("fashion_resnet", "reviews_bert")
    for name in said:
        report, page = (smoke.of(name).results / file for file in ("report.zip", "explorer/index.html"))
        assert f"open {page.relative_to(smoke.folder)}, read {report.relative_to(smoke.folder)}" in done.stdout
        with zipfile.ZipFile(report) as packed:
            text = packed.read("report/report.html").decode()
            files = set(packed.namelist())
        (inside,) = (name.removesuffix("index.html") for name in files if name.endswith("/index.html"))
        own = {path.relative_to(page.parent).as_posix() for path in page.parent.rglob("*.*") if path.is_file()}
        assert {f"{inside}{name}" for name in own - {".snakemake_timestamp"}} <= files
        moving = [] if name in still else ["animation.gif"]
        for figure in moving + [f"{one}.png" for one in FIGURES[name] if one != "ablation"]:
            assert figure in text
        for table in ("lds", "removal", "models", "timing", *(STEPS if name not in still else ())):
            assert f"{table}.csv" in text


def test_a_failed_run_says_so_and_stops(smoke):
    done = smoke.python("scripts/run.py", "--tier", "paper", "--cores", "none")
    assert done.returncode == 1
    assert done.stdout.count(", experiment ") == 1
    assert "error: Snakemake has stopped with status" in done.stdout
