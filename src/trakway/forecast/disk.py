"""The bytes of the files that an experiment leaves, from its settings and the shapes of its networks."""

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trakway.attribution.inputs import INPUTS, inputs_of
from trakway.forecast.calibration import Calibration, Network
from trakway.forecast.sample import Counts
from trakway.generation.completions import PICTURED
from trakway.gradients.preconditioning import LARGEST
from trakway.plan import (
    COMPLETING,
    CONTROL,
    OUTPUT_ROLES,
    ensemble_shards,
    ensemble_sizes,
    methods_of,
    modality_of,
    removal_rows,
    shard_range,
    step_methods,
    subsets_of,
)
from trakway.plan.layout import influence_names, metagradient_names, named_projection
from trakway.plan.projections import preconditioner_name

TYPES = {torch.int64: "I64", torch.float64: "F64", torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}
"""What safetensors calls types, in the order in which it writes them."""


@dataclass(frozen=True)
class Entries:
    """How many rows the table of targets has.

    Attributes:
        evaluation: entries that count.
        total: those for tuning too.
        images: whole targets, all of them.
    """

    evaluation: int
    total: int
    images: int


def entries_of(settings: dict) -> Entries:
    """Return the number of entries of an experiment's targets."""
    chosen = settings["targets"]
    if modality_of(settings).targets == "drawn":
        whole = chosen["count"] + chosen["tuning"]
        return Entries(chosen["count"], whole, whole)
    steps, patches = 1 + len(settings["journey"]["timesteps"]), len(settings["journey"]["patches"])
    told = min(chosen["exchanged"], chosen["count"]) if modality_of(settings).has(("caption",)) else 0
    evaluation = chosen["count"] * (steps + patches) + chosen["real"] + told * steps
    images = chosen["count"] + chosen["real"] + told + chosen["tuning"]
    return Entries(evaluation, evaluation + chosen["tuning"] * steps, images)


def completion_sets(settings: dict, ensemble: str, models: Sequence[int]) -> int:
    """Return how many sets of completions are drawn from models, see `trakway.generation.completions`."""
    removal, steps = settings["removal"], len(settings["journey"]["timesteps"])
    if subsets_of(ensemble) == "reference":
        return (len(models) + (0 in models)) * removal["targets"] * steps
    rows = removal_rows(removal, step_methods(settings))
    whose = [rows[model // ensemble_sizes(settings)[ensemble][1]].method for model in models]
    return sum(removal["targets"] if method == CONTROL else 1 for method in whose) * steps


def file_sizes(settings: dict, counts: Counts, measured: Calibration) -> dict[str, int]:
    """Return the bytes of every array and of all weights, by path below the experiment's folder.

    What only the data tell, such as the number of different captions, is not among them; nor are tables and figures.
    """
    modality, entries, n = modality_of(settings), entries_of(settings), counts.train
    found = _data(settings, counts, measured)
    for ensemble, (subsets, seeds) in ensemble_sizes(settings).items():
        found[f"subsets/{subsets_of(ensemble)}.npy"] = array_bytes((subsets, n), np.bool_)
        network = measured.networks.get(ensemble, measured.networks["members"])
        section = settings[ensemble] if ensemble in measured.networks and ensemble != "members" else settings
        kept = section["training"]["checkpoints"] if ensemble == "members" else 1
        adopted = ensemble == "members" and settings["members"]["checkpoints"]
        size = _checkpoint_bytes(network, section["training"].get("stored", "float32"))
        for index in [] if adopted else range(subsets * seeds):
            for checkpoint in [*range(kept - 1), None]:
                found[f"train/{ensemble}/models/{_checkpoint_file(network, index, checkpoint)}"] = size
        roles = OUTPUT_ROLES.get(ensemble, ("evaluation",))
        count = {0: 0, 1: entries.evaluation, 2: entries.total}[len(roles)]
        for shard in ensemble_shards(settings, ensemble):
            found[f"outputs/{ensemble}/{shard}.npy"] = array_bytes((len(shard_range(shard)), count), np.float64)
    chosen = list(methods_of(settings).values())
    found |= _read(settings, inputs_of(chosen), counts, measured, entries)
    found |= {f"scores/{method.name}.npy": array_bytes((entries.evaluation, n), np.float32) for method in chosen}
    if modality.targets == "sampled":
        steps = len(settings["journey"]["timesteps"])
        shapes = {"": measured.picture_shape}
        shapes |= {} if measured.picture_shape == measured.state_shape else {"latent_": measured.state_shape}
        for prefix, shape in shapes.items():
            found[f"targets/{prefix}images.npy"] = array_bytes((entries.images, *shape), np.float32)
            for name in ("noisy", "estimates"):
                found[f"targets/{prefix}{name}.npy"] = array_bytes((entries.images, steps, *shape), np.float32)
    if modality.has(("steps",)):
        found |= _completions(settings, counts, measured, entries)
    if modality.has(("caption",)):
        for ensemble, samples in (("reference", "samples"), ("evaluation", "bank")):
            for shard in ensemble_shards(settings, ensemble):
                drawn = (len(shard_range(shard)), settings["captions"][samples])
                folder = f"captions/{ensemble}/{shard}"
                found[f"{folder}/probabilities.npy"] = array_bytes((*drawn, counts.classes), np.float32)
                found[f"{folder}/pictures.npy"] = array_bytes((*drawn, *measured.picture_shape), np.float32)
    return found


def array_bytes(shape: Sequence[int], dtype: type) -> int:
    """Return the size of a ``.npy`` file."""
    head, dtype = io.BytesIO(), np.dtype(dtype)
    told = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": tuple(map(int, shape))}
    np.lib.format.write_array_header_1_0(head, told)
    return head.tell() + math.prod(shape) * dtype.itemsize


def tensors_bytes(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> int:
    """Return the size of a file of safetensors: its head is JSON, filled up to a multiple of 8 bytes."""
    order = list(TYPES)
    head, end = {"__metadata__": dict(metadata)} if metadata else {}, 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (order.index(item[1].dtype), item[0])):
        start, end = end, end + tensor.numel() * tensor.element_size()
        head[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, end]}
    length = len(json.dumps(head, separators=(",", ":"), ensure_ascii=False).encode())
    return 8 + -(-length // 8) * 8 + end


def _checkpoint_bytes(network: Network, stored: str) -> int:
    tensors = network.tensors
    if stored == "float16":
        tensors = {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()}
    return tensors_bytes(tensors, {"format": "pt"} if network.format == "diffusers" else None)


def _checkpoint_file(network: Network, index: int, checkpoint: int | None) -> str:
    stem = f"{index:05d}" if checkpoint is None else f"{index:05d}.{checkpoint}"
    return f"{stem}{'/diffusion_pytorch_model' if network.format == 'diffusers' else ''}.safetensors"


def _data(settings: dict, counts: Counts, measured: Calibration) -> dict[str, int]:
    found = {}
    for split, count in (("train", counts.train), ("test", counts.test)):
        if measured.pixels:
            found[f"data/{split}_images.npy"] = array_bytes((count, *measured.pixels), np.uint8)
        if measured.state_shape != measured.picture_shape:
            found[f"data/{split}_latents.npy"] = array_bytes((count, *measured.state_shape), np.float32)
    return found


def _read(
    settings: dict, inputs: Sequence[str], counts: Counts, measured: Calibration, entries: Entries
) -> dict[str, int]:
    """Return what methods read."""
    found, n = {}, counts.train
    network = measured.networks["members"]
    for file in (file for name in inputs for file in INPUTS[name].files(settings)):
        folder, _, name = file.rpartition("/")
        if not folder.startswith("features/"):
            continue
        _, projection, _, checkpoint, shard = folder.split("/")
        chosen = named_projection(settings, projection)
        models = len(shard_range(shard))
        k = chosen["dim"] if chosen["kind"] != "identity" else sum(map(math.prod, network.attributed))
        rows = n if name == "train.json" else entries.total
        found[f"{folder}/{name.removesuffix('.json')}.npy"] = array_bytes((models, rows, k), np.float32)
        if name == "train.json":
            found[f"{folder}/weights.npy"] = array_bytes((models, n), np.float32)
        if change := preconditioner_name(chosen):
            sides = {}
            for place, shape in enumerate(network.attributed):
                for side, length in (("left", shape[0] if shape else 1), ("right", math.prod(shape[1:]))):
                    size = (length, length) if length <= LARGEST else (length,)
                    sides[f"{place}.{side}"] = torch.empty(size, device="meta")
            size = tensors_bytes(sides)
            for index in shard_range(shard):
                found[f"preconditioners/{change}/{checkpoint}/{shard}/{index:05d}.safetensors"] = size
    if "representations" in inputs:
        domain = bool(settings["domain"])
        models = 1 if domain else ensemble_sizes(settings)["members"][0]
        width = measured.networks["domain" if domain else "members"].width
        for name, rows in (("train", n), ("targets", entries.total)):
            found[f"representations/{name}.npy"] = array_bytes((models, rows, width), np.float32)
    if "metagradients" in inputs:
        size = array_bytes((entries.total, len(settings["metagradient"]["start"]), n), np.float32)
        found |= {f"{name}.npy": size for name in metagradient_names(settings)}
    for kind in (name for name in inputs if name in ("ekfac", "ekfac_cg")):
        size = array_bytes((len(settings["scores"]["damping"]), entries.total, n), np.float32)
        found |= {f"{name}.npy": size for name in influence_names(settings, kind)}
    return found


def _completions(settings: dict, counts: Counts, measured: Calibration, entries: Entries) -> dict[str, int]:
    found, width = {}, measured.networks["domain"].width
    for ensemble in (ensemble for ensemble in COMPLETING if ensemble in ensemble_sizes(settings)):
        for shard in ensemble_shards(settings, ensemble):
            sets = completion_sets(settings, ensemble, shard_range(shard))
            drawn = (sets, settings["removal"]["completions"])
            kept = (sets, min(PICTURED, drawn[1]), *measured.picture_shape)
            folder = f"completions/{ensemble}/{shard}"
            found[f"{folder}/pictures.npy"] = array_bytes(kept, np.uint8)
            found[f"{folder}/features.npy"] = array_bytes((*drawn, width), np.float32)
            found[f"{folder}/probabilities.npy"] = array_bytes((*drawn, counts.classes), np.float32)
            found[f"{folder}/final.npy"] = array_bytes((entries.images, counts.classes), np.float32)
    return found
