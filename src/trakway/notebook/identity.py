"""What decides the numbers of a notebook's task, as a digest: whether a folder's pieces are of the same work.

The code of a notebook cannot be compared as files can. So the model is asked what it does: with weights moved at random
(what starts at zero would hide the rest), outputs and loss of a few examples tell models, outputs and losses apart.
"""

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

from trakway.notebook.session import undisturbed
from trakway.plan import code_files
from trakway.storage.fingerprint import code_digest, fingerprint
from trakway.storage.resumable import row_blocks
from trakway.tasks import Task

TRIED = 4  # examples
READ_AT_ONCE = 500  # examples


def task_digest(task: Task, program: str) -> str:
    """Return a digest of a task's examples, its model as built, and what it computes.

    Args:
        task: with its targets.
        program: the file whose imports are the library's code in question.
    """
    with undisturbed(0):
        model = task.new_model(0).eval()
        parts = [repr(model), tensors_digest(model.state_dict())]
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.05 * torch.randn(parameter.shape).to(parameter)
            for batch in (task.train_batch, task.target_batch):
                found = task.output(model, batch(np.arange(min(TRIED, task.train_size, task.test_size))))
                parts += [[f"{value:.3g}" for value in values.tolist()] for values in (found, task.loss_slope(found))]
            parts.append(f"{float(task.loss(model, task.train_batch(np.arange(min(TRIED, task.train_size))))):.3g}")
    batches = (
        batch(np.arange(block.start, block.stop))
        for batch, size in ((task.train_batch, task.train_size), (task.target_batch, task.test_size))
        for block in row_blocks(size, READ_AT_ONCE)
    )
    examples = [_digest(part for batch in batches for part in batch)]
    return fingerprint(*parts, *examples, task.seed, code_digest(code_files(program, *_sources(task))))


def tensors_digest(tensors: Mapping[str, Tensor]) -> str:
    """Return a digest of a state dict."""
    return fingerprint(list(tensors), _digest(tensors.values()))


def _digest(tensors: Iterable[Tensor]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for tensor in tensors:
        digest.update(repr((tensor.dtype, tuple(tensor.shape))).encode())
        # As bytes: NumPy has no bfloat16.
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _sources(task: Task) -> list:
    """Return the files of a task's class; none for one that was written in the notebook."""
    try:
        return task.sources
    except (TypeError, OSError):
        return []
