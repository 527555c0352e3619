"""Files of an experiment that no current setting asks for: those of other cuts, ensembles, projections and methods."""

import re
from collections.abc import Iterator
from pathlib import Path

from trakway.attribution.inputs import INPUTS, inputs_of
from trakway.plan import ensemble_shards, ensemble_sizes, feature_folders, methods_of, projections

SHARD = re.compile(r"\d{5}-\d{5}")
MODEL = re.compile(r"\d{5}(?=\.|$)")
RECORDS = ("costs", "logs")
"""Folders which repeat the tree of the others."""


def stale(settings: dict, folder: Path) -> list[Path]:
    """Return files below the folder of an experiment that are named by what its settings no longer have, sorted.

    Only files that a shard, a model, a projection, a method or the like gives its name count: what a person has put
    there, what was asked for by its path (``exported/``), data, targets, tables and figures never do.

    Args:
        settings: of the experiment.
        folder: ``RESULTS/TIER/NAME``.
    """
    asked = Asked(settings)
    files = (file for file in sorted(folder.rglob("*")) if file.is_file() or file.is_symlink())
    return [file for file in files if asked.is_stale(file.relative_to(folder).parts)]


class Asked:
    """What the settings of an experiment ask for."""

    def __init__(self, settings: dict):
        chosen = methods_of(settings)
        self.methods = set(chosen)
        self.models = {name: subsets * seeds for name, (subsets, seeds) in ensemble_sizes(settings).items()}
        self.shards = {name: set(ensemble_shards(settings, name)) for name in self.models}
        self.inputs = {Path(file) for name in inputs_of(list(chosen.values())) for file in INPUTS[name].files(settings)}
        kept = range(settings["training"]["checkpoints"])
        # The ablation's, whether it is asked for or not, and every checkpoint that it may look at.
        found = [f for name in projections(settings) for f in feature_folders(settings, "output", projection=name)]
        found += feature_folders(settings, "output", kept)
        self.features = {tuple(one.split("/")) for one in found}
        self.features |= {file.parts[1:-1] for file in self.inputs if file.parts[0] == "features"}

    def is_stale(self, parts: tuple[str, ...]) -> bool:
        """Whether a file, by the parts of its path below the folder, is left from other settings."""
        if parts[0] in RECORDS:
            parts = parts[1:]
        return len(parts) > 1 and any(found(parts) for found in self._kinds(parts[0]))

    def _kinds(self, room: str) -> Iterator:
        by_ensemble = ("train", "outputs", "completions", "captions")
        kinds = dict.fromkeys(by_ensemble, self._of_ensemble)
        kinds |= {"features": self._of_features, "preconditioners": self._of_preconditioners}
        kinds |= {"scores": self._of_method, "checked": self._of_method, "check_method": self._of_method}
        kinds |= {"metagradients": self._of_run, "influences": self._of_run}
        yield from [kinds[room]] if room in kinds else []

    def _of_ensemble(self, parts: tuple[str, ...]) -> bool:
        _, ensemble, *rest = parts
        if not rest or not re.fullmatch("[a-z_]+", ensemble):
            return False
        if rest[0] == "models" and len(rest) > 1:
            model = MODEL.match(rest[1].removeprefix("."))
            return bool(model) and int(model[0]) >= self.models.get(ensemble, 0)
        shard = SHARD.match(rest[0].removeprefix("."))
        return bool(shard) and shard[0] not in self.shards.get(ensemble, ())

    def _of_features(self, parts: tuple[str, ...]) -> bool:
        return len(parts) > 5 and bool(SHARD.fullmatch(parts[4])) and parts[1:5] not in self.features

    def _of_preconditioners(self, parts: tuple[str, ...]) -> bool:
        if len(parts) < 4 or not (shard := SHARD.match(parts[3])):
            return False
        return (parts[2], shard[0]) not in {(folder[2], folder[3]) for folder in self.features}

    def _of_method(self, parts: tuple[str, ...]) -> bool:
        name = parts[1].lstrip(".").split(".")[0]
        return len(parts) == 2 and name not in self.methods

    def _of_run(self, parts: tuple[str, ...]) -> bool:
        made = {Path(*file.parts[:-1], file.stem) for file in self.inputs}
        return len(parts) == 3 and Path(*parts[:2], parts[2].lstrip(".").split(".")[0]) not in made
