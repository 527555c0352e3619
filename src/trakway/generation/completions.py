"""Completions: samples drawn from the same x_t by the original model and by retrained ones, seen by a classifier.

What is attributed at step t is the distribution of final images given x_t (Georgiev et al., 2023, section 3). Removing
the right training examples must shift it; this makes the samples that `trakway.validation.shift` compares.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn

from trakway.generation.domain import DomainClassifier
from trakway.generation.sampling import denoise, torch_generator
from trakway.storage.files import write_table
from trakway.storage.resumable import Part, fill_arrays
from trakway.tasks import Generative

ORIGINAL, RETRAINED = "original", "retrained"
"""Streams of noise: the baseline's own, and one that all models share, so that they differ by their weights alone."""


def complete(
    task: Generative, model: nn.Module, noisy: np.ndarray, target: int, step: int, count: int, stream: str
) -> np.ndarray:
    """Draw completions of one x_t.

    Args:
        task: gives the schedule and ``diffusion.sampling_steps``.
        model: in eval mode.
        noisy: x_t, (C, H, W).
        target: number of the image; with the step and the stream it keys the noise.
        step: the timestep t.
        count: how many completions.
        stream: ``original`` or ``retrained``.

    Returns:
        float32 (count, C, H, W), about [-1, 1].
    """
    scheduler = task.scheduler()
    scheduler.set_timesteps(task.diffusion["sampling_steps"])
    # One generator a completion, followed down the trajectory: a completion does not depend on their number.
    generators = [torch_generator(task.seed, f"completion:{stream}", target, step, i) for i in range(count)]
    start = torch.from_numpy(np.array(noisy)).to(task.device).expand(count, -1, -1, -1)
    *_, (_, images, _) = denoise(model, scheduler, start, lambda _: generators, step)
    return images.cpu().numpy()


def completion_rows(
    ensemble: str, indices: Sequence[int], rows: pd.DataFrame | None, targets: int, timesteps: Sequence[int], seeds: int
) -> pd.DataFrame:
    """List what is drawn from the models of a shard.

    Args:
        ensemble: ``reference`` or ``removal``.
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
        streams = (ORIGINAL, RETRAINED) if ensemble == "reference" and model == 0 else (RETRAINED,)
        for target in range(targets) if own < 0 else (own,):
            listed += [(ensemble, model, target, step, stream) for stream in streams for step in timesteps]
    return pd.DataFrame(listed, columns=["ensemble", "model", "target", "timestep", "stream"])


def draw_completions(
    task: Generative,
    classifier: DomainClassifier,
    load: Callable[[int], nn.Module],
    rows: pd.DataFrame,
    noisy: np.ndarray,
    count: int,
    fingerprint: str,
    folder: Path,
) -> dict:
    """Write ``features.npy`` (rows, count, d), ``probabilities.npy`` (rows, count, classes) and ``index.parquet``.

    Args:
        task: gives schedule and steps.
        classifier: sees the completions.
        load: from the index of a model to the model.
        rows: of `completion_rows`.
        noisy: x_t at the attributed steps, (images, steps, C, H, W).
        count: completions a row.
        fingerprint: identifies models, targets and settings.
        folder: where the files go.

    Returns:
        The cost, earlier interrupted runs included.
    """
    position = {step: index for index, step in enumerate(task.journey["timesteps"])}
    opened: dict[int, nn.Module] = {}

    def draw(block: tuple) -> tuple[np.ndarray, np.ndarray]:
        row = rows.iloc[block[0]]
        if row["model"] not in opened:
            opened.clear()
            opened[row["model"]] = load(row["model"])
        step, target = int(row["timestep"]), int(row["target"])
        start = noisy[target, position[step]]
        return classifier(complete(task, opened[row["model"]], start, target, step, count, row["stream"]))

    features, probabilities = classifier(np.zeros((1, *task.shape), np.float32))
    part = Part(
        [folder / "features.npy", folder / "probabilities.npy"],
        [(len(rows), count, features.shape[1]), (len(rows), count, probabilities.shape[1])],
        [(number,) for number in range(len(rows))],
        draw,
    )
    cost = fill_arrays([part], fingerprint, "sets of completions")
    write_table(folder / "index.parquet", rows)
    return cost
