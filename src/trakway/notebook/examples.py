"""A user's examples as tensors: from arrays, a mapping of arrays, or a data set of PyTorch's kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import default_collate

from trakway import seeds
from trakway.errors import UserError
from trakway.notebook.session import undisturbed
from trakway.runtime.progress import track
from trakway.storage.resumable import row_blocks
from trakway.tasks import Batch

READ_AT_ONCE = 256  # examples of a data set


@dataclass(frozen=True)
class Examples:
    """Examples as tensors.

    Attributes:
        tensors: the first dimension is the example.
        names: of the tensors, where the examples are mappings; None where they are tuples.
    """

    tensors: tuple[Tensor, ...]
    names: tuple[str, ...] | None

    def __len__(self) -> int:
        return len(self.tensors[0])

    def to(self, device: str, dtype: torch.dtype) -> "Examples":
        """Return them on a device, numbers with a fraction as ``dtype``."""
        return Examples(
            tuple(t.to(device, dtype if t.is_floating_point() else t.dtype) for t in self.tensors), self.names
        )

    def batch(self, rows: np.ndarray, device: str) -> Batch:
        """Return examples ``rows``."""
        index = torch.as_tensor(rows, device=self.tensors[0].device)
        return tuple(tensor[index].to(device) for tensor in self.tensors)


def read_examples(data: Any, what: str) -> Examples:
    """Return the examples that a user gives, all of them in memory.

    Args:
        data: a tuple of arrays or tensors, one of them alone, or a mapping of them: the first dimension is the example;
            or a data set with ``len`` and ``[i]`` whose items are such tuples or mappings, one example each. A data set
            is read once: what it draws at random stays as drawn then.
        what: ``"train"`` or ``"targets"``, for messages.

    Raises:
        UserError: it is nothing of the kind, is empty, or its parts speak of different numbers of examples.
    """
    if not isinstance(data, (tuple, list, Mapping, Tensor, np.ndarray)):
        data = _read(data, what)
    names = tuple(map(str, data)) if isinstance(data, Mapping) else None
    parts = tuple(data.values()) if names else data if isinstance(data, (tuple, list)) else (data,)
    try:
        tensors = tuple(_tensor(part) for part in parts)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UserError(
            f"{what}: found parts of types {', '.join(type(part).__name__ for part in parts)}, allowed: tensors and"
            f" arrays of numbers ({error}); leave out what the model does not take"
        ) from None
    sizes = [len(tensor) if tensor.ndim else None for tensor in tensors]
    if not sizes or len(set(sizes)) > 1 or not sizes[0]:
        raise UserError(
            f"{what}: found shapes {', '.join(str(tuple(t.shape)) for t in tensors) or 'none'}, allowed: parts whose"
            " first dimension is the example, as long as each other, at least 1"
        )
    return Examples(tensors, names)


def _tensor(part: Any) -> Tensor:
    """Return a part as a tensor; a copy of an array that may not be written to, which PyTorch would warn of."""
    read_only = isinstance(part, np.ndarray) and not part.flags.writeable
    return torch.as_tensor(np.array(part) if read_only else part)


def _read(data: Any, what: str) -> tuple[Tensor, ...] | dict[str, Tensor]:
    """Read a data set and stack its items."""
    if not hasattr(data, "__len__") or not hasattr(data, "__getitem__"):
        raise UserError(
            f"{what}: found {type(data).__name__}, allowed: a tuple of tensors or arrays, a mapping of them, or a data"
            " set with len(data) and data[i]; collect what comes as a stream into tensors first"
        )
    blocks = []
    with undisturbed(seeds.derive(0, "examples", len(data))):
        for block in track(row_blocks(len(data), READ_AT_ONCE), f"blocks of {what} examples read"):
            items = [data[i] for i in range(block.start, block.stop)]
            try:
                blocks.append(default_collate(items))
            except (TypeError, RuntimeError) as error:
                raise UserError(
                    f"{what}: examples {block.start} to {block.stop - 1} cannot be stacked ({error}); give all the"
                    " same shapes: pad, crop or resize them in the data set"
                ) from None
    if not blocks:
        return ()
    if isinstance(blocks[0], Mapping):
        return {name: _joined([block[name] for block in blocks]) for name in blocks[0]}
    if isinstance(blocks[0], (tuple, list)):
        return tuple(_joined(list(parts)) for parts in zip(*blocks, strict=True))
    return (_joined(blocks),)


def _joined(parts: list) -> Any:
    """Join what blocks have of one part; what are no tensors stays, for the message."""
    return torch.cat(parts) if isinstance(parts[0], Tensor) else parts[0]
