"""Train a shard of an ensemble, one model after the other; finished models are kept whatever happens to the process."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from trakway.errors import UserError
from trakway.plan.ensembles import FIXED
from trakway.plan.shards import shard_range
from trakway.runtime import resources
from trakway.runtime.progress import track
from trakway.storage.files import read_json, write_json
from trakway.storage.fingerprint import file_digest, fingerprint
from trakway.tasks import Task
from trakway.training.checkpoint import SUFFIXES, load_checkpoint
from trakway.training.loop import checkpoint_path, train_model
from trakway.training.schedule import Schedule

AGAIN = "train it again"
RESTORE = "bring it back as it was, or run again from the rule train on: snakemake --forcerun train"

PAIRED = {"evaluation": "evaluation", "estimation": "estimation", "reference": "removal", "removal": "removal"}
"""The ensembles whose models can share seeds, and the stream they share."""

DIFFERENTIATED = "metagradient"
"""What names the training runs that are differentiated."""


@dataclass(frozen=True)
class Ensemble:
    """Models trained on subsets, several seeds a subset: model ``index`` has subset ``index // seeds``.

    Attributes:
        name: e.g. ``members``; part of every model's seed.
        subsets: bool, shape (subsets, n): which training examples each subset holds.
        seeds: models a subset.
        reweighted: whether what a subset lacks is left out at its place, at weight 0, in a run that is otherwise the
            same for all subsets; else a model visits its subset alone.
    """

    name: str
    subsets: np.ndarray
    seeds: int
    reweighted: bool = False

    def rows(self, index: int) -> np.ndarray:
        """Return the training examples of model ``index``."""
        return np.flatnonzero(self.subsets[index // self.seeds])

    def visited(self, index: int) -> np.ndarray:
        """Return the training examples that model ``index`` visits, at whatever weight."""
        return np.arange(self.subsets.shape[1]) if self.reweighted else self.rows(index)

    def weights(self, index: int) -> np.ndarray | None:
        """Return the weights of all training examples for model ``index``, None where all are 1."""
        return self.subsets[index // self.seeds].astype(np.float32) if self.reweighted else None

    def __len__(self) -> int:
        return len(self.subsets) * self.seeds


def model_seed(task: Task, ensemble: Ensemble, index: int, paired: bool) -> int:
    """Return the seed of a model: its own, or, with ``paired``, that of all models of its number within a subset.

    Models that are compared over subsets then share initial weights, order and noise (common random numbers), and
    differ by their data alone. Members are never paired: their differences are what an ensemble is for. The models of
    ensembles at a fixed seed have those of the first training runs that are differentiated.
    """
    if ensemble.name in FIXED:
        return task.training_seed(DIFFERENTIATED, index % ensemble.seeds)
    if paired and ensemble.name in PAIRED:
        return task.training_seed(f"paired {PAIRED[ensemble.name]}", index % ensemble.seeds)
    return task.training_seed(ensemble.name, index)


def train_shard(
    task: Task,
    ensemble: Ensemble,
    indices: range,
    training: dict,
    identity: str,
    folder: Path,
) -> tuple[list[dict], list[dict], dict]:
    """Train the models ``indices`` of an ensemble, or take them over if they are there, whole and of the same identity.

    Args:
        task: the modality.
        ensemble: its models' subsets.
        indices: the models of this shard.
        training: the ``training`` section.
        identity: digest of all that decides the models but their subsets and seeds (settings, data, code).
        folder: where checkpoints go, shared by all shards of the ensemble.

    Returns:
        (models, curves, cost): for each model ``{index, subset, seed, train_size, loss, checkpoints, learning_rates}``,
        for each model and epoch ``{index, epoch, loss, learning_rate}``, and what training cost, earlier processes
        included.
    """
    models, curves, costs = [], [], []
    if ensemble.reweighted and any(isinstance(part, _BatchNorm) for part in task.architecture().modules()):
        print(
            "note: the network has batch norm, in whose statistics the examples that a model does without still are;"
            " norms of one example, such as GroupNorm or LayerNorm, leave them out altogether"
        )
    for index in track(list(indices), f"{ensemble.name} trained"):
        rows = ensemble.rows(index)
        if len(rows) == 0:
            raise UserError(f"{ensemble.name}: model {index} has an empty training subset; raise the subset fraction")
        seed = model_seed(task, ensemble, index, training["paired"])
        visited, weights = ensemble.visited(index), ensemble.weights(index)
        mark = fingerprint(identity, training, seed, rows, *([] if weights is None else ["reweighted"]))
        schedule = Schedule(len(visited), training)
        path = folder / f"{index:05d}{SUFFIXES[task.checkpoint_format]}"
        # In order; a record's own keys come back sorted.
        names = [checkpoint_path(path, i).name for i in range(len(schedule.checkpoints) - 1)] + [path.name]
        record_path = path.with_suffix(".json")
        record = _finished(record_path, mark)
        if record is None:
            try:
                with resources.measured() as cost:
                    result = train_model(task, visited, training, seed, path, mark, weights)
            except UserError as error:
                raise UserError(f"model {index} of {ensemble.name}: {error}") from None
            files = {name: file_digest(folder / name) for name in names}
            record = {"fingerprint": mark, "files": files, "cost": cost, **result}
            write_json(record_path, record)
        models.append(
            {
                "index": index,
                "subset": index // ensemble.seeds,
                "seed": index % ensemble.seeds,
                "train_size": len(rows),
                "loss": record["curve"][-1]["loss"],
                "checkpoints": [{"file": name, "sha256": record["files"][name]} for name in names],
                "learning_rates": schedule.rates_before_checkpoints(),
            }
        )
        curves += [{"index": index, **row} for row in record["curve"]]
        costs.append(record["cost"])
    return models, curves, resources.add(*costs)


def _finished(path: Path, mark: str) -> dict | None:
    """Return the record of a model that is there, whole, and of this identity; None if it has to be trained."""
    try:
        record = read_json(path)
    except (FileNotFoundError, ValueError):  # a damaged record is none
        return None
    files = [(path.with_name(name), digest) for name, digest in record["files"].items()]
    whole = all(file.exists() and file_digest(file) == digest for file, digest in files)
    return record if whole and record["fingerprint"] == mark else None


def _retrain(folder: Path, index: int) -> str:
    """Return how to have a model trained anew: what a shard has finished is told by its record."""
    # Of earlier settings there may be another one that holds the model.
    records = sorted(str(path) for path in folder.parent.glob("[0-9]*-[0-9]*.json") if index in shard_range(path.stem))
    files = " and ".join(records)
    return f"delete {files} and run again: this model is trained anew, whole ones are kept" if records else AGAIN


def load_model(task: Task, folder: Path, model: dict, checkpoint: int = -1) -> torch.nn.Module:
    """Load a checkpoint of a model that `train_shard` or `adopt` described, in eval mode.

    Args:
        task: the modality.
        folder: where the ensemble's checkpoints are; an adopted one has an absolute path of its own.
        model: its description.
        checkpoint: which of its checkpoints; the last one is final.

    Raises:
        UserError: the file is missing or not the one that was described.
    """
    entry = model["checkpoints"][checkpoint]
    advice = RESTORE if model["subset"] is None else _retrain(folder, model["index"])
    return load_checkpoint(task, folder / entry["file"], entry["sha256"], advice)
