"""The explorers that the smoke run leaves, in a real browser: every view opens, and shows what the files hold."""

import csv
import io
import json
import re

import numpy as np
import pandas as pd
import pytest

from trakway import plan

EXPERIMENTS = ("fashion_resnet", "reviews_bert", "digits_ddpm", "fashion_ldm")
MOST = 20_000_000  # bytes of an explorer


@pytest.fixture(params=EXPERIMENTS)
def run(smoke, request):
    return smoke.of(request.param)


def index_of(run):
    text = (run.results / "explorer/data/index.js").read_text()
    return json.loads(text[len('trakway.receive("index", ') : -len(");\n")])


def number(text):
    return float(re.search(r"[+−-]?[\d.]+(e[+-]?\d+)?", text)[0].replace("−", "-"))


def test_every_view_opens(run, explorer_page):
    """Each target, a training example, the methods; `explorer_page` fails on any complaint of the console."""
    index, shown = index_of(run), explorer_page(run.results / "explorer")
    shown.open()
    for target in index["targets"]:
        for _, timestep, patch in target["entries"]:
            at = "whole" if timestep is None else timestep
            link = f"#target={target['target']}&t={at}&patch={patch}"
            shown.page.evaluate("link => { location.hash = link }", link)
            shown.wait(link)
            assert shown.page.locator("[data-method] .card").count() > 0
    for view in ("view=example&example=7", "view=leaderboard"):
        shown.open(f"#{view}")
        assert shown.page.locator("main h2").count() == 1
    assert sum(path.stat().st_size for path in (run.results / "explorer").rglob("*") if path.is_file()) < MOST


def test_values_are_those_of_the_files(run, explorer_page):
    """Scores and LDS of a target, effects of the bank, outputs before and after removal."""
    results, settings = run.results, run.settings
    main = plan.main_method(settings)
    table = pd.read_parquet(results / "targets/targets.parquet")
    step = settings["journey"]["timesteps"][-1] if plan.modality_of(settings).has(("steps",)) else None
    same = table["timestep"].isna() if step is None else table["timestep"].eq(step).fillna(False)
    (position,) = np.flatnonzero((table["target"] == 1) & same & (table["patch"] == ""))
    shown = explorer_page(results / "explorer").open(f"#target=1&t={step or 'whole'}&method={main}&count=4")
    scores = np.load(results / f"scores/{main}.npy")[position].astype(float)
    masks = np.load(results / "subsets/evaluation.npy")
    outputs = np.concatenate([np.load(path) for path in sorted((results / "outputs/evaluation").glob("*.npy"))])
    outputs = outputs.reshape(len(masks), -1, outputs.shape[1]).mean(1)[:, position]
    cards = shown.page.locator("[data-method] .side.helpful .card")
    for i, row in enumerate(np.argsort(-scores, kind="stable")[:4]):
        assert int(cards.nth(i).get_attribute("data-example")) == row
        assert number(cards.nth(i).locator(".score").inner_text()) == pytest.approx(scores[row], rel=0.01)
        measured = cards.nth(i).locator(".measured").inner_text()
        if measured != "measured not measured":
            parts = outputs[masks[:, row]], outputs[~masks[:, row]]
            error = np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts))
            difference, said = (number(part) for part in measured.removeprefix("measured").split("±"))
            assert said == pytest.approx(error, rel=0.06)
            assert difference == pytest.approx(parts[0].mean() - parts[1].mean(), abs=0.06 * error)
    lds = pd.read_csv(results / "tables/lds_targets.csv")
    lds = lds[lds["timestep"].isna() if step is None else lds["timestep"] == step]
    lds = lds[(lds["target"] == 1) & (lds["method"] == main) & (lds["kind"] == table["kind"][position])]["lds"].item()
    assert number(shown.text(".summary .lds")) == pytest.approx(lds, abs=0.006)
    removal, rows = settings["removal"], pd.read_parquet(results / "subsets/removal.parquet")
    after = np.concatenate([np.load(path) for path in sorted((results / "outputs/removal").glob("*.npy"))])
    after = after.reshape(len(rows), removal["seeds"], -1).mean(1)
    shown.open(f"#target=1&t={step or 'whole'}&method={main}")
    shown.page.click("text=All removals of this target")
    saved = csv.DictReader(io.StringIO(shown.saved("text=Save the removals as CSV"), newline=""))
    own = rows[(rows["target"] == 1) & (rows["method"] == main)]
    found = [float(line["after"]) for line in saved]
    for row in own.itertuples():
        at = row.timestep if step is not None else None
        same = table["timestep"].isna() if at is None else table["timestep"].eq(at).fillna(False)
        (entry,) = np.flatnonzero((table["target"] == 1) & same & (table["patch"] == ""))
        assert np.abs(np.array(found) - after[row.Index, entry]).min() < 1e-9


def test_completions_are_kept_as_pictures(smoke):
    results = smoke.of("digits_ddpm").results
    for folder in sorted((results / "completions").glob("*/*")):
        pictures, probabilities = (np.load(folder / f"{name}.npy") for name in ("pictures", "probabilities"))
        assert pictures.dtype == np.uint8
        assert pictures.shape == (len(probabilities), 8, 1, 8, 8)
        assert pictures.std() > 0
