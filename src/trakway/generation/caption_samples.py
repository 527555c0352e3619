"""Samples of captions from noise: does a model draw what it is told?"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from trakway.generation.domain import DomainClassifier
from trakway.generation.sampling import denoise, torch_generator
from trakway.storage.files import write_table
from trakway.storage.resumable import Part, fill_arrays
from trakway.tasks import Generative

ROLE = "caption samples"


def draw_sample(task: Generative, model: nn.Module, captions: Sequence[str]) -> torch.Tensor:
    """Draw a sample of each caption, in ``diffusion.sampling_steps``; sample i has the same noise whatever the model.

    Returns:
        Pictures, float32 (captions, C, H, W), about [-1, 1].
    """
    scheduler = task.scheduler()
    scheduler.set_timesteps(task.diffusion["sampling_steps"])
    generators = [torch_generator(task.seed, ROLE, number) for number in range(len(captions))]
    noise = torch.stack([torch.randn(task.shape, generator=generator) for generator in generators]).to(task.device)
    *_, (_, states, _) = denoise(task.told(model, captions), scheduler, noise, lambda _: generators)
    return task.decode(states)


def draw_samples(
    task: Generative,
    classifier: DomainClassifier,
    load: Callable[[int], nn.Module],
    models: Sequence[int],
    count: int,
    fingerprint: str,
    folder: Path,
) -> dict:
    """Write ``probabilities.npy``, ``pictures.npy`` and ``prompts.parquet``.

    Args:
        task: gives captions, schedule and steps.
        classifier: sees the samples.
        load: from the index of a model to the model.
        models: their indices.
        count: samples a model, each of the caption of a test picture, the same for all models.
        fingerprint: identifies models, data and settings.
        folder: where the files go: float32 probabilities (models, count, classes) and pictures (models, count, C, H,
            W), about [-1, 1], and what each sample is told.

    Returns:
        The cost, earlier interrupted runs included.
    """
    prompts = task.prompts(ROLE, count)

    def draw(block: slice) -> tuple[np.ndarray, np.ndarray]:
        pictures = draw_sample(task, load(models[block.start]), prompts["caption"].tolist())
        _, probabilities = classifier(pictures)
        return probabilities[None], pictures.cpu().numpy()[None]

    _, probabilities = classifier(np.zeros((1, *task.picture_shape), np.float32))
    part = Part(
        [folder / "probabilities.npy", folder / "pictures.npy"],
        [(len(models), count, probabilities.shape[1]), (len(models), count, *task.picture_shape)],
        [slice(number, number + 1) for number in range(len(models))],
        draw,
    )
    cost = fill_arrays([part], fingerprint, "models asked for captions")
    write_table(folder / "prompts.parquet", prompts)
    return cost
