"""Small experiments of every modality, made up, with texts that would be scripts if anything ran them."""

import numpy as np
import pandas as pd
import pytest

from trakway.explorer.build import Experiment, build
from trakway.metrics.lds import by_subset, evaluate, predicted
from trakway.plan import modality_of
from trakway.storage.files import write_array, write_json, write_table
from trakway.validation import removal as removal_table

NASTY = [
    "<script>window.ran = 1</script>",
    "</script><img src=x onerror='window.ran = 1'>",
    "a \"quoted\", 'quoted' caption, with a comma",
    "two\nlines\u2028and a \u2029 separator",
    "&lt;b&gt; &amp; <b>bold</b>",
    "javascript:window.ran=1",
    "=1+1 {{ 7*7 }} ${window.ran = 1} `x`",
    "\N{SNOWMAN} emoji \U0001f600 and \u202e turned",
]
"""Texts that must be shown as they are."""

CLASSES = ["<img src=x onerror='window.ran=1'>", 'shirt "A" & co', "'); window.ran = 1; ('"]
N, TARGETS, SUBSETS, SEEDS = 30, 5, 12, 2
STEPS, PATCHES = [50, 300, 700], [{"name": "upper_half", "timestep": 300, "box": [0, 0, 4, 8]}]
METHODS = ["random", "journey_trak", "pixel"]  # the main one is not the first
KINDS = {"pictures": "image_classification", "texts": "text_classification", "steps": "image_diffusion",
         "captions": "latent_diffusion"}  # fmt: skip
REMOVAL = {"targets": 2, "timesteps": None, "seeds": 2, "reference": 3}


def table_of_targets(kind, rng):
    """Return targets with entries: of steps a whole, steps and a patch, then a test image, and one told otherwise."""
    rows = []
    if kind in ("pictures", "texts"):
        for target in range(TARGETS):
            rows.append((target, target, "evaluation", target % len(CLASSES), "test", None, "", ""))
        rows.append((TARGETS, TARGETS, "tuning", 0, "test", None, "", ""))
    else:
        told = kind == "captions"
        whole = [(None, ""), *((step, "") for step in STEPS)]
        for target in range(TARGETS):
            caption, label = (NASTY[target], target % len(CLASSES)) if told else ("", -1)
            entries = whole + [(part["timestep"], part["name"]) for part in PATCHES]
            rows += [(target, target, "evaluation", label, "generated", *entry, caption) for entry in entries]
        rows.append((TARGETS, 0, "evaluation", 1, "test", None, "", NASTY[5] if told else ""))
        if told:
            rows += [(TARGETS + 1, 0, "evaluation", 2, "exchanged", *entry, NASTY[6]) for entry in whole]
        tuned = TARGETS + 1 + told
        rows += [(tuned, 0, "tuning", -1, "generated", *entry, "") for entry in whole]
    columns = ["target", "row", "role", "label", "kind", "timestep", "patch", "caption"]
    return pd.DataFrame(rows, columns=columns).astype({"timestep": "Int64"})


def write_data(kind, folder, rng):
    table = pd.DataFrame({
        "id": 1000 + np.arange(N + 8), "split": ["train"] * N + ["test"] * 8, "row": [*range(N), *range(8)],
        "label": rng.integers(0, len(CLASSES), N + 8), "caption": "",
    })  # fmt: skip
    table["sha256"] = [f"{row:064x}" for row in range(N + 8)]
    table.loc[7, "sha256"] = table.loc[3, "sha256"]  # a copy
    if kind == "texts":
        table["text"] = [f"{NASTY[row % len(NASTY)]} word{row}" for row in range(N + 8)]
        table["text_pair"] = ["" if row % 2 else f"pair {NASTY[row % 3]}" for row in range(N + 8)]
    else:
        images = rng.integers(0, 256, (N + 8, 1, 8, 8)).astype(np.uint8)
        images[7] = images[3]
        write_array(folder / "train_images.npy", images[:N])
        write_array(folder / "test_images.npy", images[N:])
    if kind == "captions":
        table["captions"] = [[NASTY[row % len(NASTY)], f"another {row}"] for row in range(N + 8)]
        table["caption"] = [captions[0] for captions in table["captions"]]
    write_table(folder / "examples.parquet", table)
    write_json(folder / "meta.json", {
        "classes": CLASSES, "counts": {"train": N, "test": 8}, "mean": [0.5], "std": [0.5], "source": "<b>made up</b>",
        "licence": "none & nobody's", "pairs": kind == "texts",
    })  # fmt: skip


def made_up(kind, folder):
    """Return what `Experiment` is made of, in the same shapes as a run leaves it."""
    rng = np.random.default_rng(5)
    steps = kind in ("steps", "captions")
    table = table_of_targets(kind, rng)
    write_data(kind, folder / "data", rng)
    write_table(folder / "targets/targets.parquet", table)
    evaluated = int((table["role"] == "evaluation").sum())
    scores = {name: (rng.normal(size=(evaluated, N)) ** 3 * 10.0 ** -place).astype(np.float32)
              for place, name in enumerate(METHODS)}  # fmt: skip
    scores["random"][1, :4] = scores["random"][1, 4]  # ties
    scores["pixel"][2] = 1 + np.arange(N) * 7 % N  # none is harmful
    scores["pixel"][2, 10:14] = 0
    masks = rng.random((SUBSETS, N)) < 0.5
    outputs = rng.normal(size=(SUBSETS * SEEDS, evaluated)) + (masks @ scores["journey_trak"].T).repeat(SEEDS, 0)
    if steps:
        images = int(table["target"].max()) + 1
        write_json(folder / "targets/timesteps.json", STEPS)
        for name, shape in (("images", ()), ("noisy", (len(STEPS),)), ("estimates", (len(STEPS),))):
            write_array(folder / f"targets/{name}.npy", rng.normal(size=(images, *shape, 1, 8, 8)).astype(np.float32))
    reference = rng.normal(size=(3, evaluated)) + 1
    removal = REMOVAL | {"timesteps": [300] if steps else None}
    rows = pd.DataFrame(
        [("journey_trak", "top", 6, 0.2, target, 300 if steps else None) for target in range(2)]
        + [("pixel", "top", 6, 0.2, target, None) for target in range(2)]
        + [("random", "random", 6, 0.2, -1, None)] * 2,
        columns=["method", "side", "k", "fraction", "target", "timestep"],
    ).astype({"timestep": "Int64"})
    retrained = rng.normal(size=(len(rows) * removal["seeds"], evaluated))
    lds = evaluate(
        {name: predicted(values, masks) for name, values in scores.items()}, by_subset(outputs, SUBSETS), table,
        seed=0, resamples=50,
    )  # fmt: skip
    of_removal = removal_table.evaluate(
        reference, retrained, rows, seed=0, resamples=50, timestep=None, border=not steps
    ) if not steps else None  # fmt: skip
    found = {
        "data": folder / "data", "targets": folder / "targets", "scores": scores, "masks": masks,
        "bank": {"a": outputs[:SUBSETS], "b": outputs[SUBSETS:]}, "reference": {"a": reference},
        "retrained": {"a": retrained}, "rows": rows, "lds": lds.lds, "lds_targets": lds.targets,
        "cost": pd.DataFrame({"method": METHODS, "models": 2, "cpu_seconds": 1.5, "lds": 0.1}),
        "removal": of_removal.removal if of_removal else pd.DataFrame(
            [("pixel", 300, "top", 6, 0.2, -0.5, -0.7, -0.3, None, 2)],
            columns=["method", "timestep", "side", "k", "fraction", "change", "change_low", "change_high", "flipped",
                     "targets_change"]),
        "provenance": {"data": {"source": "<b>made up</b>", "licence": "none & nobody's", "counts": {"train": N}},
                       "revision": {"commit": "c0ffee" * 6, "changed": False}, "trakway": "0.1.0",
                       "cpu_seconds": 12.4, "hardware": {"cores": 2, "processor": "<i>a</i>", "gpu": None},
                       "packages": {"torch": "2"}, "python": "3"},
        "name": "made_up", "description": "</title><script>window.ran = 1</script>", "seed": 0, "level": 0.95,
        "resamples": 50, "removal_settings": removal, "paired": False, "border": not steps, "main": "journey_trak",
        "steps_only": [],
    }  # fmt: skip
    if kind in ("texts", "captions"):
        found["reference_fixed"] = {"a": reference[:1] + 1}
        found["retrained_fixed"] = {"a": retrained[: len(rows)] + 2}
    if not steps:
        return found | {
            "brittleness": pd.DataFrame({"method": ["journey_trak"] * 2, "target": [0, 1], "k": [6.0, None]})
        }
    index = pd.DataFrame(
        [("reference", 0, target, step, stream) for stream in ("original", "retrained") for target in range(2)
         for step in STEPS]
        + [("removal", row.Index * 2 + seed, target, step, "retrained") for row in rows.itertuples()
           for seed in range(2) for target in ([row.target] if row.target >= 0 else range(2)) for step in STEPS],
        columns=["ensemble", "model", "target", "timestep", "stream"],
    )  # fmt: skip
    found |= {
        "lds_fixed": pd.concat([lds.lds.assign(dropped=share) for share in (0.05, 0.5)]),
        "completions_index": {"all": index},
        "completions": {"all": rng.integers(0, 256, (len(index), 3, 1, 8, 8)).astype(np.uint8)},
        "patches": PATCHES,
        "emergence": pd.DataFrame(
            [(target, CLASSES[0], 300, step, group, "journey_trak", 6, 0.5, 0.25, 0.75) for target in range(2)
             for step in STEPS for group in ("original", "removed", "random")],
            columns=["target", "label", "emergence_timestep", "timestep", "group", "method", "k", "probability",
                     "probability_low", "probability_high"]),
        "shift": pd.DataFrame([("pixel", 300, 6, 1.5, 1.0, 2.0, "classifier on <b>")],
                              columns=["method", "timestep", "k", "fid", "fid_low", "fid_high", "features"]),
    }  # fmt: skip
    if kind == "captions":
        words = [(0, step, "coat → <b>bag</b>", 0.25) for step in STEPS]
        found["caption_words"] = pd.DataFrame(words, columns=["sample", "timestep", "words", "correlation"])
    return found


class MadeUp:
    """A built explorer, and what it was made of."""

    def __init__(self, kind, folder):
        self.kind, self.folder = kind, folder / "explorer"
        found = made_up(kind, folder)
        self.found = found
        self.experiment = Experiment(found, modality_of({"task": KINDS[kind]}).traits)
        self.folder.mkdir()
        build(self.folder, self.experiment, "smoke", np.linspace(0.5, 0, N))

    def effect(self, position, example):
        """Return what the bank measured of an example, and its standard error; NaN where too few subsets tell."""
        seen, outputs = self.experiment.masks[:, example], self.experiment.outputs[:, position]
        parts = outputs[seen], outputs[~seen]
        if min(map(len, parts)) < 2:
            return np.nan, np.nan
        return parts[0].mean() - parts[1].mean(), np.sqrt(sum(part.var(ddof=1) / len(part) for part in parts))


@pytest.fixture(scope="session", params=KINDS)
def made(request, tmp_path_factory):
    """An explorer of each modality."""
    return MadeUp(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def explorer_of(tmp_path_factory):
    """Make the explorer of a modality."""
    found = {}

    def of(kind):
        if kind not in found:
            found[kind] = MadeUp(kind, tmp_path_factory.mktemp(kind))
        return found[kind]

    return of
