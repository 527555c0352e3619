"""The explorer of an experiment as a folder: the page, and its data as scripts and pictures."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from trakway.data.centred import to_bytes
from trakway.data.examples import pictures
from trakway.explorer.examples import nearest, picture_vectors, text_vectors, words_of
from trakway.explorer.journeys import write_strip
from trakway.explorer.packing import bits, doubles, width_of
from trakway.explorer.pictures import LOSSLESS, write_sheets
from trakway.explorer.proof import Drawn, completions, removals
from trakway.explorer.rankings import SHOWN, entry_data, ranks
from trakway.explorer.reverse import A_FILE, most_moved, reverse_data
from trakway.explorer.scripts import table_data, write_script
from trakway.explorer.targets import lds_intervals, lds_of_entries, listed, methods_at
from trakway.figures.style import look
from trakway.metrics.lds import by_subset, predicted
from trakway.storage.files import read_array, read_json, read_table

SITE = Path(__file__).parent / "site"


class Experiment:
    """What the explorer is made of, as `trakway.explorer.reads.PARTS` names it.

    Attributes:
        found: name → table, array, JSON, folder or value of the settings.
        table: of targets.
        evaluated: how many entries are evaluated: the first ones.
        scores: name of the method → (evaluated entries × n).
        methods: their names, the main one first.
        traits: of the modality.
        timesteps: attributed, ascending; none where targets have no steps.
        outputs: of the bank, mean over seeds, (subsets × evaluated entries).
        masks: bool (subsets × n).
        reference: (models × entries).
    """

    def __init__(self, found: Mapping[str, object], traits: Sequence[str]):
        self.found, self.traits = found, set(traits)
        self.table = read_table(found["targets"] / "targets.parquet")
        self.evaluated = int((self.table["role"] == "evaluation").sum())
        main = found["main"]
        self.methods = sorted(found["scores"], key=lambda name: name != main)
        self.scores = {name: found["scores"][name] for name in self.methods}
        self.size = self.scores[main].shape[1]
        self.masks = np.asarray(found["masks"], bool)
        self.outputs = by_subset(np.concatenate([*found["bank"].values()]), len(self.masks)).mean(1)
        self.outputs = self.outputs[:, : self.evaluated]
        self.reference = np.concatenate([*found["reference"].values()])
        self.examples = read_table(found["data"] / "examples.parquet")
        self.meta = read_json(found["data"] / "meta.json")
        self.timesteps = sorted(self.table["timestep"].dropna().unique().tolist())

    def split(self, name: str) -> pd.DataFrame:
        """Return the examples of a split, in order."""
        return self.examples[self.examples["split"] == name].reset_index(drop=True)

    def steps_pictured(self) -> bool:
        """Whether samples have a way to be seen."""
        return {"steps", "image"} <= self.traits


def build(folder: Path, experiment: Experiment, tier: str, self_influence: np.ndarray | None = None) -> None:
    """Write the explorer into an empty folder.

    Args:
        folder: where ``index.html`` goes.
        experiment: what is shown.
        tier: of the experiment.
        self_influence: of the training examples (n,); None: not known.
    """
    for file in sorted(SITE.iterdir()):
        shutil.copyfile(file, folder / file.name)
    found = experiment.found
    index = {
        "name": found["name"],
        "tier": tier,
        "description": found["description"],
        "classes": experiment.meta["classes"],
        "size": experiment.size,
        "shown": min(SHOWN, experiment.size // 2),
        "main": found["main"],
        "methods": [_method(name, experiment) for name in experiment.methods],
        "border": found["border"],
        "paired": found["paired"],
        "level": found["level"],
        "timesteps": experiment.timesteps,
        "patches": found.get("patches") or [],
        "reverse": A_FILE,
        "tables": {
            name: table_data(found[name]) for name in ("lds", "lds_fixed", "cost", "removal", "shift") if name in found
        },
        "provenance": _provenance(experiment),
    }
    index |= _targets(folder, experiment)
    index |= _training_examples(folder, experiment, self_influence)
    _bank(folder, experiment)
    index["proven"] = _rankings(folder, experiment)
    _reverse(folder, experiment)
    write_script(folder, "index", index)


def _method(name: str, experiment: Experiment) -> dict:
    one = look(name)
    at = experiment.found["steps_only"]
    return {"name": name, "label": one.label, "color": one.color, "steps_only": name in at}


def _provenance(experiment: Experiment) -> dict:
    record = experiment.found["provenance"]
    kept = ("revision", "cpu_seconds", "hardware", "python", "packages", "trakway")
    bank = {"subsets": len(experiment.masks), "seed": experiment.found["seed"]}
    data = {name: record["data"].get(name) for name in ("source", "licence", "counts")}
    return {name: record.get(name) for name in kept} | bank | {"data": data}


def _training_examples(folder: Path, experiment: Experiment, self_influence: np.ndarray | None) -> dict:
    """Write words, pictures and near-duplicates; return what the index holds of them."""
    train = experiment.split("train")
    words = words_of(train)
    write_script(folder, "words", {name: words[name] for name in words if name != "label"})
    found = {"labels": words["label"], "spoken": sorted(words.keys() - {"id", "label"})}
    vectors = None
    if "image" in experiment.traits:
        shown, _, _ = pictures(experiment.found["data"], experiment.table[:1], experiment.found["targets"])
        found["pictures"] = write_sheets(folder, "train", shown)
        vectors = picture_vectors(shown)
    elif "text" in words:
        vectors = text_vectors([f"{a} {b}" for a, b in zip(train["text"], train["text_pair"], strict=True)])
    if vectors is not None:
        write_script(folder, "duplicates", nearest(vectors, train["sha256"].to_numpy()))
    if self_influence is not None:
        found["self_influence"] = [float(f"{value:.4g}") for value in self_influence]
    return found | {"duplicates": vectors is not None}


def _targets(folder: Path, experiment: Experiment) -> dict:
    """Write pictures of targets; return what the index holds of them."""
    found, table = experiment.found, experiment.table
    targets = listed(table, experiment.meta["classes"], words_of(experiment.split("test")))
    outputs = experiment.reference.mean(0)
    spread = experiment.reference.std(0, ddof=1) if len(experiment.reference) > 1 else np.full(len(outputs), np.nan)
    flips = found["brittleness"] if "brittleness" in found else pd.DataFrame(columns=["method", "target", "k"])
    for one in targets:
        own = flips[flips["target"] == one["target"]]
        one["brittleness"] = {row.method: row.k for row in own.itertuples()}
    index = {
        "targets": targets,
        "outputs": outputs[: experiment.evaluated],
        "output_spread": spread[: experiment.evaluated],
        "lds_of_entries": np.round(lds_of_entries(table, found["lds_targets"], experiment.methods), 4)[
            : experiment.evaluated
        ],
    }
    if "image" in experiment.traits:
        firsts = [one["entries"][0][0] for one in targets]
        _, shown, _ = pictures(found["data"], table.iloc[firsts], found["targets"])
        shown = shown if shown.dtype == np.uint8 else to_bytes(shown)
        index["target_pictures"] = write_sheets(folder, "target", shown)
    if "caption_words" in found:
        columns = ["sample", "timestep", "words", "correlation"]
        index["captions"] = table_data(found["caption_words"][columns])
    return index


def _bank(folder: Path, experiment: Experiment) -> None:
    """Write what the page measures effects from: subsets, and the outputs of their models."""
    write_script(
        folder,
        "bank",
        {
            "subsets": len(experiment.masks),
            "masks": bits(experiment.masks),
            "outputs": doubles(experiment.outputs.T),
        },
    )


def _rankings(folder: Path, experiment: Experiment) -> list[int]:
    """Write a file a target: the scores of its entries, its way from noise, and what removal did to it.

    Returns:
        The targets of which examples were removed.
    """
    found, table = experiment.found, experiment.table
    predictions = {name: predicted(values, experiment.masks) for name, values in experiment.scores.items()}
    timesteps = found["removal_settings"].get("timesteps")
    retrained = np.concatenate([*found["retrained"].values()])
    of_removal = removals(table, experiment.reference, retrained, found["rows"], timesteps, found["paired"])
    at_fixed_seed = {}
    if "retrained_fixed" in found:
        models = (np.concatenate([*found[name].values()]) for name in ("reference_fixed", "retrained_fixed"))
        at_fixed_seed = removals(table, *models, found["rows"], timesteps, paired=True)
    pictured = experiment.steps_pictured()
    drawn = pictured and "completions" in found and Drawn(found["completions_index"], found["completions"])
    evaluated = table[: experiment.evaluated]
    for number, part in evaluated.groupby("target", sort=True):
        entries = {}
        for position, step in zip(part.index, part["timestep"], strict=True):
            names = methods_at(experiment.methods, None if pd.isna(step) else step, found["steps_only"])
            scores = {name: np.asarray(experiment.scores[name][position]) for name in names}
            entries[position] = entry_data(scores, {name: ranks(values) for name, values in scores.items()})
            intervals = lds_intervals(
                [predictions[name][:, position] for name in names],
                experiment.outputs[:, position],
                seed=found["seed"],
                resamples=found["resamples"],
                level=found["level"],
            )
            for name, bounds in zip(names, intervals, strict=True):
                entries[position]["methods"][name]["lds_interval"] = bounds
        one = {"entries": entries, "removals": of_removal.get(number, [])}
        if number in at_fixed_seed:
            one["removals_fixed"] = at_fixed_seed[number]
        if pictured and part["timestep"].notna().any():
            one["strip"] = _strip(folder, experiment, number)
        if number in of_removal and drawn:
            seeds = found["removal_settings"]["seeds"]
            one["completions"] = completions(folder, drawn, found["rows"], number, experiment.timesteps, seeds)
        if number in of_removal and "emergence" in found:
            emergence = found["emergence"]
            one["emergence"] = table_data(emergence[emergence["target"] == number].drop(columns="target"))
        write_script(folder, f"targets/{number}", one)
    return sorted(of_removal)


def _strip(folder: Path, experiment: Experiment, number: int) -> dict:
    """Write the way of a sample from noise, from high noise to low."""
    place = experiment.found["targets"]
    every = read_json(place / "timesteps.json")
    order = [every.index(step) for step in experiment.timesteps[::-1]]
    noisy, estimates, samples = (read_array(place / f"{name}.npy") for name in ("noisy", "estimates", "images"))
    lossless = noisy.size + estimates.size <= LOSSLESS
    strip = write_strip(folder, number, noisy[number][order], estimates[number][order], samples[number], lossless)
    return strip | {"timesteps": experiment.timesteps[::-1]}


def _reverse(folder: Path, experiment: Experiment) -> None:
    """Write a file a few hundred training examples: the entries that each moves most, by every method."""
    steps = experiment.table["timestep"][: experiment.evaluated].isna().to_numpy()
    every: dict[str, tuple] = {}
    for name, scores in experiment.scores.items():
        kept = np.arange(experiment.evaluated)
        if name in experiment.found["steps_only"]:
            kept = kept[~steps]
        chosen, values, ranked = most_moved(np.asarray(scores)[kept])
        every[name] = kept[chosen], values, ranked
    width = {"entries": width_of(experiment.evaluated), "ranks": width_of(experiment.size)}
    for start in range(0, experiment.size, A_FILE):
        block = slice(start, start + A_FILE)
        methods = {name: reverse_data(*(part[block] for part in parts), width) for name, parts in every.items()}
        write_script(folder, f"examples/{start // A_FILE}", methods)
