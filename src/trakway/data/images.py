"""Reading a prepared data set of images."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from trakway.errors import UserError
from trakway.storage.files import read_array, read_json, read_table

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ImageData:
    """A prepared data set.

    Attributes:
        train_images: uint8 N×C×H×W, a read-only memory map.
        train_labels: int64 N, 0..len(classes)-1.
        test_images: uint8 M×C×H×W, a read-only memory map.
        test_labels: int64 M.
        classes: name of each label.
        mean: float64 C, mean of the training pixels scaled to 0..1.
        std: float64 C, their standard deviation, positive.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    classes: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def load(cls, folder: str | os.PathLike) -> "ImageData":
        """Open what ``prepare`` wrote into ``folder``; the images stay on disk.

        Raises:
            UserError: a file is missing, damaged, or does not belong to the others.
        """
        folder = Path(folder)
        try:
            meta = read_json(folder / "meta.json")
            examples = read_table(folder / "examples.parquet")
            arrays = {}
            for split in ("train", "test"):
                table = examples[examples["split"] == split]
                images = read_array(folder / f"{split}_images.npy")
                if images.dtype != np.uint8 or images.ndim != 4 or len(images) != meta["counts"][split]:
                    raise ValueError(
                        f"{split}_images.npy is {images.dtype} of {images.shape}, not {meta['counts'][split]} images"
                    )
                if not np.array_equal(table["row"], np.arange(len(images))):
                    raise ValueError(f"examples.parquet does not list the {len(images)} rows of {split}_images.npy")
                arrays[f"{split}_images"] = images
                arrays[f"{split}_labels"] = table["label"].to_numpy(np.int64)
            return cls(**arrays, classes=tuple(meta["classes"]), mean=np.array(meta["mean"]), std=np.array(meta["std"]))
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{folder}: not a whole data set ({error}); remove the folder and prepare the data again"
            ) from error

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return self.train_images.shape[1:]

    def batch(
        self,
        split: Literal["train", "test"],
        rows: np.ndarray | list[int] | slice | None = None,
        device: "str | torch.device" = "cpu",
    ) -> "torch.Tensor":
        """Return images as a float32 tensor rows × C × H × W, each channel less its mean and divided by its std.

        Args:
            split: "train" or "test".
            rows: which rows (None: all).
            device: where the tensor goes; the bytes travel there as uint8.
        """
        import torch  # reading tables and pixels alone need not wait for it

        images = {"train": self.train_images, "test": self.test_images}[split][slice(None) if rows is None else rows]
        pixels = torch.from_numpy(np.array(images)).to(device)
        return self.standardised(pixels.float() / 255)

    def centred(self, split: Literal["train", "test"], rows: np.ndarray | slice) -> "torch.Tensor":
        """Return images as a float32 tensor rows × C × H × W in [-1, 1], on the CPU."""
        import torch

        images = {"train": self.train_images, "test": self.test_images}[split][rows]
        return torch.from_numpy(np.array(images)).float() / 127.5 - 1

    def standardised(self, pixels: "torch.Tensor") -> "torch.Tensor":
        """Return images (B, C, H, W) in 0..1 with each channel less its mean and divided by its std."""
        mean, std = (
            pixels.new_tensor(values, dtype=pixels.dtype).view(1, -1, 1, 1) for values in (self.mean, self.std)
        )
        return (pixels - mean) / std
