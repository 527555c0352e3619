"""Where the pixels of a split come from: an array in memory, or a list of image files decoded when asked for."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from trakway.data.decoding import decoded
from trakway.data.source import Writing
from trakway.data.statistics import digest, moments
from trakway.errors import UserError
from trakway.storage.resumable import Part, fill_arrays, row_blocks


class Pixels(ABC):
    """Images that can be read by row at a given size."""

    @abstractmethod
    def __len__(self) -> int:
        """Return their number."""

    @abstractmethod
    def shape(self, size: int | None) -> tuple[int, int, int]:
        """Return (channels, height, width) of the images once brought to ``size`` (None: as they are)."""

    @abstractmethod
    def read(self, rows: np.ndarray, size: int | None, threads: int = 1) -> np.ndarray:
        """Return the images of ``rows`` as uint8, rows × channels × height × width."""

    def name(self, row: int) -> str:
        """Return what a message calls an image: its row, from 1."""
        return f"picture {row + 1}"

    def write(self, rows: np.ndarray, writing: Writing) -> tuple[dict[str, Sequence], dict]:
        """Write ``SPLIT_images.npy``, uint8; see `trakway.data.source.Examples`.

        The facts are ``mean`` and ``std`` of each channel, of pixels scaled to 0..1.
        """
        size, path = writing.settings["image_size"], writing.folder / f"{writing.split}_images.npy"
        images = Part(
            [path],
            [(len(rows), *self.shape(size))],
            row_blocks(len(rows), writing.block),
            lambda part: (self.read(rows[part], size, writing.threads),),
            np.uint8,
        )
        fill_arrays([images], writing.mark, f"blocks of {writing.split} images")
        hashes, histogram = digest(path, writing.block)
        mean, std = moments(histogram)
        if writing.split == "train" and not std.all():
            raise UserError(
                f"dataset: channel {int(np.argmin(std))} has the same value in every training image; use other data"
            )
        return {"sha256": hashes}, {"mean": mean.tolist(), "std": std.tolist()}


@dataclass(frozen=True)
class ArrayPixels(Pixels):
    """Images in memory.

    Attributes:
        array: uint8, images × channels × height × width; 1 or 3 channels.
    """

    array: np.ndarray

    def __post_init__(self) -> None:
        found = self.array
        if found.dtype != np.uint8 or found.ndim != 4 or found.shape[1] not in (1, 3):
            raise UserError(
                f"ArrayPixels: found {found.dtype} {found.shape}; allowed: uint8 (images, channels, height, width) with"
                " 1 or 3 channels, values 0 to 255; scale and round the images yourself"
            )

    def __len__(self) -> int:
        return len(self.array)

    def shape(self, size: int | None) -> tuple[int, int, int]:
        """Return (channels, height, width)."""
        channels, height, width = self.array.shape[1:]
        return (channels, height, width) if size is None else (channels, size, size)

    def read(self, rows: np.ndarray, size: int | None, threads: int = 1) -> np.ndarray:
        """Return the images of ``rows``, resized (bilinear, antialiased) where ``size`` differs from their own."""
        images = self.array[rows]
        if self.shape(size) == self.array.shape[1:]:
            return images
        return np.stack([_channels_first(_resize(_picture(image), (size, size))) for image in images])


@dataclass(frozen=True)
class FilePixels(Pixels):
    """Image files, decoded as RGB.

    The shorter side is resized (bilinear, antialiased) to ``margin`` times ``size``, then the centre is cropped: with 1
    a picture of that size stays as it is, and of others no more is lost than the longer side has too much.

    Attributes:
        paths: one file an image.
        margin: at least 1.
    """

    paths: Sequence[str | Path]
    margin: float = 1.0

    def __len__(self) -> int:
        return len(self.paths)

    def shape(self, size: int | None) -> tuple[int, int, int]:
        """Return (3, size, size); the files differ in size, so None is not possible."""
        if size is None:
            raise ValueError("image files need a size")
        return 3, size, size

    def name(self, row: int) -> str:
        """Return the path of an image."""
        return str(self.paths[row])

    def read(self, rows: np.ndarray, size: int | None, threads: int = 1) -> np.ndarray:
        """Return the images of ``rows``; ``threads`` of them are decoded at a time.

        Raises:
            DamagedFile: a file is missing, cut off or no image.
        """
        out = np.empty((len(rows), *self.shape(size)), np.uint8)
        with ThreadPoolExecutor(threads) as pool:
            for position, image in enumerate(pool.map(lambda row: self._cropped(self.paths[row], size), rows)):
                out[position] = image
        return out

    def _cropped(self, path: str | Path, size: int) -> np.ndarray:
        picture = decoded(path)
        scale = max(size, round(size * self.margin)) / min(picture.size)
        width, height = (max(size, round(side * scale)) for side in picture.size)
        left, top = (width - size) // 2, (height - size) // 2
        return _channels_first(_resize(picture, (width, height)).crop((left, top, left + size, top + size)))


def _picture(image: np.ndarray) -> Image.Image:
    return Image.fromarray(image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0)))


def _resize(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    return picture.resize(size, Image.Resampling.BILINEAR)


def _channels_first(picture: Image.Image) -> np.ndarray:
    array = np.asarray(picture)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
