"""The targets of a diffusion experiment: generated samples with their journey, and held-out real images."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from trakway import seeds
from trakway.errors import UserError
from trakway.generation.sampling import denoise, torch_generator
from trakway.runtime.progress import track
from trakway.storage.files import write_array, write_json, write_table
from trakway.storage.resumable import row_blocks
from trakway.targets.table import COLUMNS
from trakway.tasks import Generative

SAMPLES_AT_ONCE = 64  # no sample depends on it


def sample_journeys(
    task: Generative, model: nn.Module, role: str, captions: Mapping[int, str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw samples through every step of the schedule and keep what the attributed steps see.

    The noise of sample i belongs to (seed, role, i, t), so that a journey can be taken up again at any step.

    Args:
        task: gives schedule and steps.
        model: in eval mode.
        role: names the streams of random numbers.
        captions: by the number of each sample, what the model is told ("": nothing).

    Returns:
        x_0 (samples, C, H, W), and x_t and x̂_0(x_t) at ``journey.timesteps``, (samples, steps, C, H, W); float32.
    """
    shape, samples = task.shape, list(captions)
    kept = {step: index for index, step in enumerate(task.journey["timesteps"])}
    final = np.zeros((len(samples), *shape), np.float32)
    noisy, estimates = (np.zeros((len(samples), len(kept), *shape), np.float32) for _ in range(2))
    scheduler = task.scheduler()
    scheduler.set_timesteps(task.diffusion["timesteps"])
    for block in row_blocks(len(samples), SAMPLES_AT_ONCE):
        numbers = samples[block]
        start = journey_generators(task.seed, role, numbers)(task.diffusion["timesteps"])
        noise = torch.stack([torch.randn(shape, generator=generator) for generator in start]).to(task.device)
        told = task.told(model, [captions[number] for number in numbers])
        way = denoise(told, scheduler, noise, journey_generators(task.seed, role, numbers))
        for step, x, estimate in track(way, f"steps of {role}", total=len(scheduler.timesteps) + 1):
            if step in kept:
                noisy[block, kept[step]] = x.cpu()
                estimates[block, kept[step]] = estimate.cpu()
        final[block] = x.cpu()
    return final, noisy, estimates


def journey_generators(seed: int, role: str, numbers: Sequence[int]):
    """Return the generators of some samples at a step; the step T stands for the noise they begin with."""
    return lambda step: [torch_generator(seed, role, number, step) for number in numbers]


def draw_journeys(task: Generative, model: nn.Module, targets: dict, folder: Path) -> None:
    """Write ``targets.parquet``, ``images.npy``, ``noisy.npy``, ``estimates.npy`` and ``timesteps.json``.

    The arrays hold pictures; where states are not, they lie beside them, see `trakway.tasks.Generative`.

    Args:
        task: gives the data, schedule and steps.
        model: the reference model, whose samples are explained.
        targets: the ``targets`` section: ``count`` evaluated samples, ``tuning`` further ones, ``real`` test images,
            ``captions`` of the first evaluated samples, ``exchanged`` of them under another caption too.
        folder: where the files go.

    Raises:
        UserError: the test split is too small.
    """
    if targets["real"] > task.test_size:
        raise UserError(
            f"targets.real: found {targets['real']}, allowed: at most {task.test_size}, the size of the test split;"
            " lower it or raise dataset.test_size"
        )
    task.tell(targets["captions"], folder)
    told = (
        task.prompts("samples", targets["count"], targets["captions"]),
        task.prompts("tuning samples", targets["tuning"]),
    )
    evaluated = sample_journeys(task, model, "samples", told[0]["caption"].to_dict())
    tuning = sample_journeys(task, model, "tuning samples", told[1]["caption"].to_dict())
    exchanged = task.exchanged(told[0][: targets["exchanged"]])
    kept = [array[: len(exchanged)] for array in evaluated]
    kept[2] = estimates_told(task, model, kept[1], exchanged["caption"].tolist())
    rows = seeds.generator(task.seed, "targets").permutation(task.test_size)[: targets["real"]]
    real, labels = task.test_samples(rows)
    empty = np.zeros((len(rows), *evaluated[1].shape[1:]), np.float32)
    for name, parts in (
        ("images", (evaluated[0], real, kept[0], tuning[0])),
        ("noisy", (evaluated[1], empty, kept[1], tuning[1])),
        ("estimates", (evaluated[2], empty, kept[2], tuning[2])),
    ):
        states = np.concatenate(parts)
        write_array(folder / f"{task.states}{name}.npy", states)
        if task.states:
            write_array(folder / f"{name}.npy", decoded(task, states))
    write_json(folder / "timesteps.json", task.journey["timesteps"])
    known = pd.DataFrame({"row": rows, "label": labels, "caption": task.test_captions(rows)})
    write_table(folder / "targets.parquet", journey_table(told[0], known, told[1], task.journey, exchanged))


def estimates_told(task: Generative, model: nn.Module, noisy: np.ndarray, captions: Sequence[str]) -> np.ndarray:
    """Return x̂_0(x_t) of the same x_t under other captions.

    Args:
        task: gives schedule and steps.
        model: in eval mode.
        noisy: x_t at ``journey.timesteps``, (samples, steps, *shape).
        captions: what the model is told with each sample.

    Returns:
        float32, as ``noisy``.
    """
    found, numbers = np.zeros_like(noisy), range(len(noisy))
    scheduler = task.scheduler()
    scheduler.set_timesteps(task.diffusion["timesteps"])
    for block in row_blocks(len(noisy), SAMPLES_AT_ONCE):
        told = task.told(model, captions[block])
        for place, step in enumerate(task.journey["timesteps"]):
            start = torch.from_numpy(noisy[block, place]).to(task.device)
            way = denoise(told, scheduler, start, journey_generators(task.seed, "estimates", numbers[block]), step)
            _, _, estimate = next(way)
            found[block, place] = estimate.cpu()
    return found


def decoded(task: Generative, states: np.ndarray) -> np.ndarray:
    """Return the pictures of states (..., *shape): float32 (..., *picture_shape)."""
    outer = states.shape[: states.ndim - len(task.shape)]
    flat = states.reshape(-1, *task.shape)
    pictures = [task.decode(flat[block]).cpu().numpy() for block in row_blocks(len(flat), SAMPLES_AT_ONCE)]
    return np.concatenate(pictures).reshape(*outer, *task.picture_shape)


def journey_table(
    samples: pd.DataFrame,
    real: pd.DataFrame,
    tuning: pd.DataFrame,
    journey: dict,
    exchanged: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the entries of a diffusion experiment, the evaluated ones first.

    A generated sample has an entry for its whole (no timestep), one for each attributed timestep, and one for each
    patch; a real image one for its whole; a sample under another caption those of a sample without patches.

    Args:
        samples: what evaluated samples were drawn of: ``caption`` and ``label``.
        real: of test images: ``row`` of the test split, ``caption`` and ``label``.
        tuning: as ``samples``.
        journey: the ``journey`` section.
        exchanged: likewise of the first samples, under another caption each.

    Returns:
        `trakway.targets.table.COLUMNS`.
    """
    steps = [(None, ""), *((step, "") for step in journey["timesteps"])]
    patches = [(patch["timestep"], patch["name"]) for patch in journey["patches"]]
    entries, first = [], 0
    for role, kind, examples, parts in (
        ("evaluation", "generated", _numbered(samples), steps + patches),
        ("evaluation", "test", real, steps[:1]),
        ("evaluation", "exchanged", _numbered(samples[:0] if exchanged is None else exchanged), steps),
        ("tuning", "generated", _numbered(tuning), steps),
    ):
        for number, one in enumerate(examples.itertuples(), first):
            known = (number, int(one.row), role, int(one.label), kind)
            entries += [(*known, step, patch, one.caption) for step, patch in parts]
        first += len(examples)
    return pd.DataFrame(entries, columns=COLUMNS).astype({"timestep": "Int64"})


def _numbered(samples: pd.DataFrame) -> pd.DataFrame:
    return samples.assign(row=range(len(samples)))
