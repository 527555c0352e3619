"""Completions: samples drawn from the same x_t by the original model and by retrained ones, seen by a classifier.

What is attributed at step t is the distribution of final images given x_t (Georgiev et al., 2023, section 3). Removing
the right training examples must shift it; this makes the samples that `trakway.validation.shift` compares.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from trakway.data.centred import to_bytes
from trakway.generation.domain import DomainClassifier
from trakway.generation.sampling import denoise, torch_generator
from trakway.storage.files import write_table
from trakway.storage.resumable import Part, fill_arrays
from trakway.tasks import Generative

ORIGINAL, RETRAINED = "original", "retrained"
"""Streams of noise: the baseline's own, and one that all models share, so that they differ by their weights alone."""

PICTURED = 8
"""How many completions of a set are kept as pictures, the first ones."""


def complete(
    task: Generative,
    model: nn.Module,
    noisy: np.ndarray,
    target: int,
    step: int,
    count: int,
    stream: str,
    caption: str = "",
) -> Tensor:
    """Draw completions of one x_t.

    Args:
        task: gives the schedule and ``diffusion.sampling_steps``.
        model: in eval mode.
        noisy: x_t, of the shape of a state.
        target: number of the image; with the step and the stream it keys the noise.
        step: the timestep t.
        count: how many completions.
        stream: ``original`` or ``retrained``.
        caption: what the model is told; "" for nothing.

    Returns:
        float32 (count, *shape), states.
    """
    scheduler = task.scheduler()
    scheduler.set_timesteps(task.diffusion["sampling_steps"])
    # One generator a completion, followed down the trajectory: a completion does not depend on their number.
    generators = [torch_generator(task.seed, f"completion:{stream}", target, step, i) for i in range(count)]
    start = torch.from_numpy(np.array(noisy)).to(task.device).expand(count, *task.shape)
    *_, (_, states, _) = denoise(task.told(model, [caption] * count), scheduler, start, lambda _: generators, step)
    return states


def completion_rows(
    ensemble: str, indices: Sequence[int], rows: pd.DataFrame | None, targets: int, timesteps: Sequence[int], seeds: int
) -> pd.DataFrame:
    """List what is drawn from the models of a shard.

    Args:
        ensemble: ``reference`` or ``removal``, or one of these at a fixed seed.
        indices: the models.
        rows: what each subset of the removal ensemble lacks (column target; -1 for the control, which serves every
            target); None for the reference ensemble, whose first model is the original one.
        targets: number of images of the removal experiment, the first ones.
        timesteps: of the journey.
        seeds: models a subset.

    Returns:
        Columns ensemble, model, target, timestep, stream.
    """
    listed = []
    for model in indices:
        own = -1 if rows is None else int(rows["target"].iloc[model // seeds])
        streams = (ORIGINAL, RETRAINED) if rows is None and model == 0 else (RETRAINED,)
        for target in range(targets) if own < 0 else (own,):
            listed += [(ensemble, model, target, step, stream) for stream in streams for step in timesteps]
    return pd.DataFrame(listed, columns=["ensemble", "model", "target", "timestep", "stream"])


def draw_completions(
    task: Generative,
    classifier: DomainClassifier,
    load: Callable[[int], nn.Module],
    rows: pd.DataFrame,
    noisy: np.ndarray,
    captions: Sequence[str],
    count: int,
    fingerprint: str,
    folder: Path,
) -> dict:
    """Write ``features.npy`` (rows, count, d), ``probabilities.npy`` (rows, count, classes) and ``index.parquet``.

    And ``pictures.npy``, uint8 (rows, pictures, C, H, W), what a person sees of the first completions of each row.

    Args:
        task: gives schedule and steps.
        classifier: sees the completions.
        load: from the index of a model to the model.
        rows: of `completion_rows`.
        noisy: x_t at the attributed steps, (targets, steps, *shape).
        captions: of each target, "" for none.
        count: completions a row.
        fingerprint: identifies models, targets and settings.
        folder: where the files go.

    Returns:
        The cost, earlier interrupted runs included.
    """
    position = {step: index for index, step in enumerate(task.journey["timesteps"])}
    opened: dict[int, nn.Module] = {}
    pictured = min(PICTURED, count)

    def draw(block: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        row = rows.iloc[block[0]]
        if row["model"] not in opened:
            opened.clear()
            opened[row["model"]] = load(row["model"])
        step, target = int(row["timestep"]), int(row["target"])
        drawn = noisy[target, position[step]], target, step, count, row["stream"], captions[target]
        seen = task.decode(complete(task, opened[row["model"]], *drawn))
        return *classifier(seen), to_bytes(seen[:pictured].cpu())

    features, probabilities = classifier(np.zeros((1, *task.picture_shape), np.float32))
    part = Part(
        [folder / f"{name}.npy" for name in ("features", "probabilities", "pictures")],
        [
            (len(rows), count, features.shape[1]),
            (len(rows), count, probabilities.shape[1]),
            (len(rows), pictured, *task.picture_shape),
        ],
        [(number,) for number in range(len(rows))],
        draw,
        (np.float32, np.float32, np.uint8),
    )
    cost = fill_arrays([part], fingerprint, "sets of completions")
    write_table(folder / "index.parquet", rows)
    return cost
