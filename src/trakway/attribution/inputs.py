"""What methods may read, one class each: where it lies, what it cost, how it is loaded and cut.

The workflow asks these classes for files and costs, so nothing heavy is imported before something is loaded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from trakway.plan import layout
from trakway.plan.functions import window, window_timestep
from trakway.plan.methods import Chosen

if TYPE_CHECKING:
    import numpy as np

    from trakway.attribution.values import Features, Source


class Input(ABC):
    """An input of methods.

    Attributes:
        needs: traits that a modality has which has this input.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    def files(self, settings: dict) -> list[str]:
        """Return the files it is loaded from, below the experiment's folder; none where data and targets suffice."""
        return []

    def costs(self, settings: dict) -> list[str]:
        """Return the files of what making it cost, the training of models left out."""
        return []

    def paid(self, settings: dict, options: Mapping[str, Any]) -> list[str]:
        """Return those of `costs` that a method with such options pays for."""
        return self.costs(settings)

    def ensemble(self, settings: dict) -> str | None:
        """Return the ensemble whose models it is made of."""
        return None

    @abstractmethod
    def load(self, files: Sequence[Path], source: Source) -> Any:
        """Return what lies in the files."""

    @abstractmethod
    def of_targets(self, value: Any, index: slice | np.ndarray) -> Any:
        """Return the part that some of the targets need."""

    def models(self, value: Any) -> Sequence:
        """Return one entry a model; none where it is made of no models, or of subsets of them."""
        return ()

    def of_models(self, value: Any, count: int) -> Any:
        """Return what the first ``count`` models give; all where it is made of none."""
        return value


class _Gradients(Input):
    """Features of functions of the members."""

    checkpoints: ClassVar[str] = "final"
    targets: ClassVar[bool] = True

    def functions(self, settings: dict) -> list[str]:
        return ["output"]

    def folders(self, settings: dict) -> list[str]:
        kept = range(settings["training"]["checkpoints"]) if self.checkpoints == "all" else None
        return [
            folder
            for function in self.functions(settings)
            for folder in layout.feature_folders(settings, function, kept)
        ]

    def files(self, settings):
        return layout.feature_files(self.folders(settings), self.targets)

    def costs(self, settings):
        return layout.feature_costs(settings, self.folders(settings), self.targets)

    def ensemble(self, settings):
        return "members"


class FinalFeatures(_Gradients):
    """``features``: projected gradients of f at the final checkpoint, one `Features` a member."""

    def load(self, files, source):
        from trakway.attribution.reading import load_features

        return load_features(_folders(files))

    def of_targets(self, value, index):
        return _cut(value, index)

    def models(self, value):
        return value

    def of_models(self, value, count):
        return value[:count]


class NormFeatures(FinalFeatures):
    """``norm``: as ``features``, of the squared norm of the prediction (D-TRAK)."""

    needs = ("steps",)

    def functions(self, settings):
        return ["norm"]


class CheckpointFeatures(_Gradients):
    """``checkpoints``: for each kept checkpoint (the final one last) one `Features` a member."""

    checkpoints = "all"

    def load(self, files, source):
        from trakway.attribution.reading import by, load_features

        return [load_features(folders) for _, folders in by(_folders(files), "checkpoint")]

    def of_targets(self, value, index):
        return [_cut(entries, index) for entries in value]

    def models(self, value):
        return value[-1] if value else ()

    def of_models(self, value, count):
        return [entries[:count] for entries in value]


class WindowFeatures(_Gradients):
    """``windows``: timestep → one `Features` a member, training gradients of the losses at steps around it.

    The gradients of targets at a step are those of f, in ``features``: here there are none.
    """

    needs = ("steps",)
    targets = False

    def functions(self, settings):
        return [window(timestep) for timestep in settings["journey"]["timesteps"]]

    def load(self, files, source):
        from trakway.attribution.reading import by, load_features

        found = by(_folders(files), "function")
        return {window_timestep(function): load_features(folders) for function, folders in found}

    def of_targets(self, value, index):
        return value

    def models(self, value):
        return next(iter(value.values()), ())

    def of_models(self, value, count):
        return {timestep: entries[:count] for timestep, entries in value.items()}


class Representations(Input):
    """``representations``: what the last layer sees, (training examples (n, d), targets (targets, d)) of each model."""

    def files(self, settings):
        return [f"representations/{name}.npy" for name in ("train", "targets")]

    def costs(self, settings):
        return ["costs/representations.json"]

    def ensemble(self, settings):
        return "domain" if settings["domain"] else "members"

    def load(self, files, source):
        from trakway.storage.files import read_array

        train, targets = (read_array(path) for path in files)
        return list(zip(train, targets, strict=True))

    def of_targets(self, value, index):
        return [(train, targets[index]) for train, targets in value]

    def models(self, value):
        return value

    def of_models(self, value, count):
        return value[:count]


class _Computed(Input):
    """Scores that were computed at several values of an option: value → (targets, n) of each model."""

    def of_targets(self, value, index):
        return {key: [array[index] for array in arrays] for key, arrays in value.items()}

    def models(self, value):
        return next(iter(value.values()), ())

    def of_models(self, value, count):
        return {key: arrays[:count] for key, arrays in value.items()}


class Metagradients(_Computed):
    """``metagradients``: derivatives of outputs in the weights of examples, by where and from when on, of each run."""

    def files(self, settings):
        return [f"{name}.json" for name in layout.metagradient_names(settings)]

    def costs(self, settings):
        return [f"costs/{name}.json" for name in layout.metagradient_names(settings)]

    def paid(self, settings, options):
        return [cost for cost in self.costs(settings) if Path(cost).parent.name == options["at"]]

    def load(self, files, source):
        from trakway.storage.files import read_array, read_json

        found = {}
        for file in map(Path, files):
            array = read_array(file.with_suffix(".npy"))
            for place, start in enumerate(read_json(file)["start"]):
                found.setdefault((file.parent.name, start), []).append(array[:, place])
        return found


class Influences(_Computed):
    """``ekfac``, ``ekfac_cg``: influences by curvature, by damping, of each member."""

    def __init__(self, kind: str):
        self.kind = kind

    def files(self, settings):
        return [f"{name}.json" for name in layout.influence_names(settings, self.kind)]

    def costs(self, settings):
        return [f"costs/{name}.json" for name in layout.influence_names(settings, self.kind)]

    def ensemble(self, settings):
        return "members"

    def load(self, files, source):
        from trakway.storage.files import read_array, read_json

        arrays = [read_array(Path(file).with_suffix(".npy")) for file in files]
        dampings = read_json(files[0])["damping"]
        return {damping: [array[place] for array in arrays] for place, damping in enumerate(dampings)}


class Estimation(Input):
    """``estimation``: the estimation bank, an `EstimationBank`."""

    def files(self, settings):
        return ["subsets/estimation.npy", *layout.shard_files(settings, "estimation", "outputs", ".npy")]

    def costs(self, settings):
        return layout.shard_files(settings, "estimation", "costs/outputs", ".json")

    def ensemble(self, settings):
        return "estimation"

    def load(self, files, source):
        from trakway.attribution.reading import load_outputs
        from trakway.attribution.values import EstimationBank
        from trakway.storage.files import read_array

        masks = read_array(files[0])
        return EstimationBank(masks, load_outputs(files[1:], len(masks)).mean(1))

    def of_targets(self, value, index):
        return replace(value, outputs=value.outputs[:, index])


class Examples(Input):
    """``examples``: the pictures of examples and targets, `Pictures`."""

    needs = ("image",)

    def load(self, files, source):
        from trakway.attribution.values import Pictures
        from trakway.data.examples import pictures

        return Pictures(*pictures(source.data, source.table, source.targets))

    def of_targets(self, value, index):
        return replace(value, targets=value.targets[index], seen=value.seen[index])


class Documents(Input):
    """``texts``: the words of examples and targets, `Documents`."""

    needs = ("text",)

    def load(self, files, source):
        import numpy as np

        from trakway.attribution.values import Documents
        from trakway.data.texts import TextData

        texts = TextData.load(source.data)
        train, test = (np.array(texts.joined(split), object) for split in ("train", "test"))
        return Documents(train, test[source.table["row"].to_numpy()])

    def of_targets(self, value, index):
        return replace(value, targets=value.targets[index])


class Captions(Input):
    """``captions``: directions of captions, of training examples (n, d) and of targets (targets, d).

    A caption's direction is the mean state of its tokens, of length one; of several captions the mean of theirs.
    """

    needs = ("caption",)

    def load(self, files, source):
        import numpy as np

        from trakway.attribution.similarity import unit
        from trakway.data.captioned import CaptionData
        from trakway.data.latents import Latents

        latents = Latents.load(source.data, source.targets)
        train = CaptionData.load(source.data).captions["train"]
        means = np.stack([unit(latents.means(captions)).mean(0) for captions in train])
        return means, unit(latents.means(source.table["caption"]))

    def of_targets(self, value, index):
        train, targets = value
        return train, targets[index]


class Labels(Input):
    """``labels``: classes of (training examples (n,), targets (targets,)); None where no margin compares classes."""

    def load(self, files, source):
        from trakway.storage.files import read_table

        if "border" not in source.modality.traits:
            return None
        examples = read_table(source.data / "examples.parquet")
        train = examples.loc[examples["split"] == "train", "label"].to_numpy()
        return train, source.table["label"].to_numpy()

    def of_targets(self, value, index):
        return value and (value[0], value[1][index])


INPUTS: dict[str, Input] = {
    "features": FinalFeatures(),
    "checkpoints": CheckpointFeatures(),
    "norm": NormFeatures(),
    "windows": WindowFeatures(),
    "representations": Representations(),
    "metagradients": Metagradients(),
    **{kind: Influences(kind) for kind in layout.INFLUENCES},
    "estimation": Estimation(),
    "examples": Examples(),
    "texts": Documents(),
    "captions": Captions(),
    "labels": Labels(),
}
"""Every input by the name that methods declare."""


def inputs_of(chosen: Sequence[Chosen]) -> list[str]:
    """Return the inputs that methods read, by name, and the estimation bank where one of them chooses options."""
    reads = [name for method in chosen for name in method.method.reads]
    return list(dict.fromkeys(reads + ["estimation"] * any(method.tuned for method in chosen)))


def _cut(entries: Sequence[Features], index: slice | np.ndarray) -> list[Features]:
    return [replace(entry, targets=entry.targets[index]) for entry in entries]


def _folders(files: Sequence[Path]) -> list[Path]:
    return list(dict.fromkeys(Path(file).parent for file in files))
