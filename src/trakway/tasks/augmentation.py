"""Random changes of training images, drawn on the CPU so that they are the same on every device."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def flip(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Mirror each image (B, C, H, W) left to right with probability one half."""
    mirrored = torch.from_numpy(rng.random(len(images)) < 0.5).to(images.device)
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def crop(images: Tensor, rng: np.random.Generator, padding: int) -> Tensor:
    """Shift each image (B, C, H, W) by up to ``padding`` pixels each way, mirroring at the border."""
    batch, _, height, width = images.shape
    padded = F.pad(images, (padding,) * 4, mode="reflect")
    top, left = torch.from_numpy(rng.integers(0, 2 * padding + 1, (2, batch))).to(images.device)
    rows = top[:, None] + torch.arange(height, device=images.device)
    columns = left[:, None] + torch.arange(width, device=images.device)
    index = torch.arange(batch, device=images.device)[:, None, None]
    # Indexing with the channel left as a slice puts it last: (B, H, W, C).
    return padded[index, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
