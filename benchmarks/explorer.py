"""How large the explorer of a large experiment is, and how fast it opens: made-up scores through the code of the rule.

    python benchmarks/explorer.py --output benchmarks/explorer.csv

5,000 pictures of 28 × 28, 300 samples at 10 timesteps, 5 methods whose scores have nothing in common, so that each
names examples of its own, and pictures of noise: nothing can be stored in less. Headless Chromium opens it from the
folder.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from machine import made, peak_mb

METHODS = ["journey_trak", "trak", "d_trak", "representation", "pixel"]
SIDE, SUBSETS = 28, 50
LONGEST = 60  # seconds to wait for a view


def made_up(folder: Path, examples: int, targets: int, steps: int) -> dict:
    """Return what an explorer is made of, see `trakway.explorer.reads.PARTS`."""
    from trakway.storage.files import write_array, write_json, write_table

    rng = np.random.default_rng(0)
    timesteps = [100 * (step + 1) - 50 for step in range(steps)]
    table = pd.DataFrame(
        [
            (target, target, "evaluation", -1, "generated", step, "", "")
            for target in range(targets)
            for step in timesteps
        ],
        columns=["target", "row", "role", "label", "kind", "timestep", "patch", "caption"],
    ).astype({"timestep": "Int64"})
    write_table(folder / "targets/targets.parquet", table)
    write_json(folder / "targets/timesteps.json", timesteps)
    for name, shape in (("images", ()), ("noisy", (steps,)), ("estimates", (steps,))):
        pixels = rng.normal(size=(targets, *shape, 1, SIDE, SIDE)).astype(np.float32)
        write_array(folder / f"targets/{name}.npy", pixels)
    data = pd.DataFrame({"id": range(examples), "split": "train", "row": range(examples), "label": 0, "caption": ""})
    data["label"], data["sha256"] = np.arange(examples) % 10, [str(row) for row in range(examples)]
    write_table(folder / "data/examples.parquet", pd.concat([data, data[:1].assign(split="test")]))
    write_array(folder / "data/train_images.npy", rng.integers(0, 256, (examples, 1, SIDE, SIDE)).astype(np.uint8))
    write_array(folder / "data/test_images.npy", rng.integers(0, 256, (1, 1, SIDE, SIDE)).astype(np.uint8))
    meta = {
        "classes": [str(label) for label in range(10)],
        "counts": {"train": examples, "test": 1},
        "mean": [0.5],
        "std": [0.5],
    }
    write_json(folder / "data/meta.json", meta)
    for name in METHODS:
        write_array(folder / f"scores/{name}.npy", rng.standard_t(4, (len(table), examples)).astype(np.float32))
    lds = pd.DataFrame([("generated", step, name, 0.3, 0.2, 0.4, 0.7, 0.4, SUBSETS, 1, 3, 1024, 1.0, targets)
                        for step in timesteps for name in METHODS],
                       columns=["kind", "timestep", "method", "lds", "lds_low", "lds_high", "ceiling", "over_ceiling",
                                "subsets", "seeds", "members", "dim", "ridge", "targets"])  # fmt: skip
    each = table[["kind", "timestep", "target"]].merge(pd.DataFrame({"method": METHODS}), how="cross").assign(lds=0.3)
    reference = rng.normal(size=(2, len(table)))
    rows = pd.DataFrame(
        {"method": ["random"], "side": "random", "k": 10, "fraction": 0.1, "target": -1, "timestep": pd.NA}
    )
    removal = [
        "method",
        "timestep",
        "side",
        "k",
        "fraction",
        "change",
        "change_low",
        "change_high",
        "flipped",
        "targets_change",
    ]
    return {
        "data": folder / "data", "targets": folder / "targets",
        "scores": {name: np.load(folder / f"scores/{name}.npy", mmap_mode="r") for name in METHODS},
        "masks": rng.random((SUBSETS, examples)) < 0.5, "bank": {"all": rng.normal(size=(SUBSETS, len(table)))},
        "reference": {"all": reference}, "retrained": {"all": reference[:1]}, "rows": rows, "lds": lds,
        "lds_targets": each,
        "cost": pd.DataFrame({"method": METHODS, "cpu_seconds": 1.0}), "removal": pd.DataFrame(columns=removal),
        "provenance": {"data": {}}, "name": "made_up", "description": "made up", "seed": 0, "level": 0.95,
        "resamples": 100, "removal_settings": {"timesteps": timesteps[:1]}, "paired": False, "border": False,
        "main": METHODS[0], "steps_only": [],
    }  # fmt: skip


def opened(page: Path, links: list[str]) -> list[float]:
    """Return seconds until each view is shown: the first from nothing, the others from the one before."""
    from playwright.sync_api import sync_playwright

    found = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
        tab = browser.new_page()
        tab.goto("about:blank")
        for link in links:
            start = time.perf_counter()
            tab.goto(page.as_uri() + link)
            while not tab.evaluate("document.getElementById('main')?.dataset.shown === location.hash"):
                if time.perf_counter() - start > LONGEST:
                    raise SystemExit(f"{link}: nothing is shown after {LONGEST} s")
                time.sleep(0.005)
            found.append(time.perf_counter() - start)
        browser.close()
    return found


def megabytes(files) -> float:
    """Return the size of files in MB."""
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def measure(examples: int, targets: int, steps: int) -> dict:
    """Build an explorer and open it."""
    from trakway.explorer.build import Experiment, build

    with tempfile.TemporaryDirectory() as temporary:
        folder, site = Path(temporary), Path(temporary, "explorer")
        found = made_up(folder, examples, targets, steps)
        site.mkdir()
        start = time.process_time()
        build(site, Experiment(found, ("image", "steps")), "demo")
        seconds = time.process_time() - start
        links = ["", f"#target={targets - 1}&other=pixel", f"#view=example&example={examples - 1}"]
        first, target, example = opened(site / "index.html", links)
        return {
            "examples": examples, "targets": targets, "timesteps": steps, "methods": len(METHODS),
            "mb": megabytes(site.rglob("*")), "code_mb": megabytes(site.glob("*")),
            "pictures_mb": megabytes(site.glob("pictures/*")), "build_cpu_seconds": seconds, "peak_mb": peak_mb(),
            "first_view_seconds": first, "another_target_seconds": target, "an_example_seconds": example,
        }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=5000)
    parser.add_argument("--targets", type=int, default=300)
    parser.add_argument("--timesteps", type=int, default=10)
    parser.add_argument("--output", type=Path, required=True, help="table (CSV)")
    arguments = parser.parse_args()
    from trakway.storage.files import write_table

    row = measure(arguments.examples, arguments.targets, arguments.timesteps)
    table = pd.DataFrame([row]).round(3)
    print(table.T.to_string(header=False))
    write_table(arguments.output, table.assign(**made("trakway", "playwright")))
