"""Tries a user's own task, network and data on two batches, before anything is trained with them."""

import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from trakway import seeds
from trakway.errors import UserError
from trakway.generation.journeys import journey_generators, journey_table
from trakway.generation.sampling import denoise
from trakway.plan import modality_of, place
from trakway.plan.loading import origin
from trakway.storage.files import read_table, write_array, write_json, write_table
from trakway.targets.table import draw_targets
from trakway.tasks import Generative, Task, build_task
from trakway.tasks.classification import Classification

BATCH = 6
CLOSE = 1e-3  # of the largest f in a batch: sums in another order differ by far less


def check_task(settings: dict, data: Path, device: str = "cpu") -> None:
    """Check what the rest of the library takes for granted of a task.

    Args:
        settings: what the task is built from, with targets where it has any.
        data: folder of the prepared data.
        device: where to compute.

    Raises:
        UserError: names the file and class, what was found and what is allowed.
    """
    trial = Trial(settings)
    task = trial.call("__init__", lambda: build_task(settings, data, device))
    rows = np.arange(min(BATCH, task.train_size))
    model, again = (trial.call("architecture", lambda: task.new_model(1)) for _ in range(2))
    trial.equal_weights(model, again)

    trial.batch("train_batch", lambda: task.train_batch(rows), len(rows))
    if isinstance(task, Classification):
        batch = task.train_batch(rows)
        trial.logits(trial.call("logits", lambda: task.logits(model.eval(), batch)), len(rows), len(task.classes))
    step = trial.batch(
        "training_batch", lambda: task.training_batch(rows, seeds.generator(task.seed, "check")), len(rows)
    )
    trial.scalar("loss", trial.call("loss", lambda: task.loss(again.train(), step)))

    model = trial.call("prepare", lambda: task.prepare(model.eval()))
    outputs = _outputs(trial, task, model, task.train_batch, rows)
    halves = [_outputs(trial, task, model, task.train_batch, half) for half in np.array_split(rows, 2)]
    trial.independent(outputs.detach(), torch.cat(halves).detach())
    slopes = trial.call("loss_slope", lambda: task.loss_slope(outputs.detach()))
    trial.numbers("loss_slope", slopes, len(rows), "-dLoss/df of each example")
    trial.gradients(model, trial.call("attributed", lambda: task.attributed(model)), outputs)

    with tempfile.TemporaryDirectory() as folder:
        table = _targets(trial, task, model, settings, data, Path(folder))
        explained = trial.call("__init__", lambda: build_task(settings, data, device, Path(folder) / "targets.parquet"))
        _outputs(trial, explained, model, explained.target_batch, np.arange(len(table)))


def _outputs(trial: "Trial", task: Task, model: nn.Module, batch: Callable, rows: np.ndarray) -> Tensor:
    """Return f of some examples or targets, a number each."""
    own = trial.batch(batch.__name__, lambda: batch(rows), len(rows))
    found = trial.call("output", lambda: task.output(model, own))
    trial.numbers("output", found, len(rows), "f of each example")
    return found


def _targets(trial: "Trial", task: Task, model: nn.Module, settings: dict, data: Path, folder: Path) -> pd.DataFrame:
    """Write a few targets as the experiment's will be: drawn ones, or what stands for samples; returns their table."""
    if modality_of(settings).targets == "drawn":
        examples = read_table(data / "examples.parquet")
        labels = examples.loc[examples["split"] == "test", "label"].to_numpy()
        table = draw_targets(labels, min(2, len(labels)), 0, task.seed)
    elif not isinstance(task, Generative):
        raise trial.fault("class", "no trakway.tasks.Generative", "one, where targets are sampled: extend it")
    else:
        journey, row = task.journey, np.arange(1)
        start = torch.randn(1, *task.shape, generator=torch.Generator().manual_seed(0)).to(task.device)
        scheduler = trial.call("scheduler", task.scheduler)
        scheduler.set_timesteps(task.diffusion["sampling_steps"])
        trial.call("tell", lambda: task.tell([], folder))
        told = trial.call("told", lambda: task.told(model, [""]))
        steps = denoise(told, scheduler, start, journey_generators(task.seed, "check", row))
        trial.call("architecture", lambda: list(islice(steps, 2)))
        samples, labels = trial.call("test_samples", lambda: task.test_samples(row))
        prompts = trial.call("prompts", lambda: task.prompts("samples", 1))
        captions = trial.call("test_captions", lambda: task.test_captions(row))
        real = pd.DataFrame({"row": row, "label": labels, "caption": captions})
        table = journey_table(prompts, real, prompts[:0], journey)
        write_array(folder / f"{task.states}images.npy", np.concatenate([samples, samples]))
        kept = np.stack([np.concatenate([samples, samples])] * len(journey["timesteps"]), 1)
        for name in ("noisy", "estimates"):
            write_array(folder / f"{task.states}{name}.npy", kept)
        write_json(folder / "timesteps.json", journey["timesteps"])
    write_table(folder / "targets.parquet", table)
    return table


class Trial:
    """One task on trial: calls its methods, and tells what is wrong with what they return."""

    def __init__(self, settings: dict):
        self.task, self.model = place("task", settings["task"]), place("model", settings["model"]["name"])
        self.places = {self.task, self.model}

    def fault(self, method: str, found: str, allowed: str) -> UserError:
        """Return the error that names file, class and method."""
        return UserError(f"{self.task.file}, class {self.task.name}: {method}: found {found}; allowed: {allowed}")

    def call(self, method: str, function: Callable[[], Any]) -> Any:
        """Call a method; an error in it is told with its line in the user's file."""
        try:
            return function()
        except UserError:
            raise
        except Exception as error:
            lines = [origin(error, found.file) for found in self.places]
            where = next((line for line in lines if ", line " in line), str(self.task.file))
            raise UserError(
                f"{where}, class {self.task.name}: {method} stopped with {type(error).__name__}: {error}; allowed: "
                "no error; correct it"
            ) from error

    def batch(self, method: str, function: Callable[[], Any], size: int) -> tuple[Tensor, ...]:
        """Return a batch: tensors with a row for each example."""
        found = self.call(method, function)
        if not isinstance(found, tuple) or not all(isinstance(tensor, Tensor) for tensor in found):
            raise self.fault(method, f"{type(found).__name__}", "a tuple of tensors; return one, e.g. (images, labels)")
        for tensor in found:
            if tensor.shape[:1] != (size,):
                said = f"a tensor of shape {tuple(tensor.shape)} for {size} examples"
                raise self.fault(method, said, f"tensors whose first dimension is the example, ({size}, ...)")
        return found

    def logits(self, found: Any, size: int, classes: int) -> None:
        """Check that a network has one output a class."""
        if not isinstance(found, Tensor) or found.shape != (size, classes):
            said = f"outputs of shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
            raise UserError(
                f"{self.model.file}, {self.model.name}: its network gives {said} for {size} examples; allowed:"
                f" ({size}, {classes}), one logit for each class of the data"
            )

    def numbers(self, method: str, found: Any, size: int, what: str) -> None:
        """Check that there is one finite number an example."""
        if not isinstance(found, Tensor) or found.shape != (size,):
            said = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
            raise self.fault(method, f"{said} for {size} examples", f"a tensor of shape ({size},): {what}")
        found = found.detach()
        bad = torch.nonzero(~torch.isfinite(found))
        if len(bad):
            raise self.fault(method, f"{float(found[bad[0, 0]])} for example {int(bad[0, 0])}", "finite numbers")

    def scalar(self, method: str, found: Any) -> None:
        """Check that the loss is one finite number that has a gradient."""
        if not isinstance(found, Tensor) or found.ndim:
            said = f"shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
            raise self.fault(method, said, "a scalar tensor: the mean over the batch; end it with .mean()")
        if not torch.isfinite(found):
            raise self.fault(method, str(float(found.detach())), "a finite number, of an untrained model too")
        if not found.requires_grad:
            raise self.fault(
                method, "a number without a gradient", "one made of the model's parameters; do not detach it"
            )

    def independent(self, together: Tensor, apart: Tensor) -> None:
        """Check that f of an example is the same in another batch."""
        differ = (together - apart).abs()
        if differ.max() > CLOSE * max(1.0, float(together.abs().max())):
            row = int(differ.argmax())
            said = (
                f"f of example {row} is {float(together[row]):.6g} in one batch and {float(apart[row]):.6g} in another"
            )
            raise self.fault(
                "output", said, "an f that no other example of the batch changes; take no mean over the batch"
            )

    def equal_weights(self, one: nn.Module, other: nn.Module) -> None:
        """Check that initial weights follow from the seed."""
        second = other.state_dict()
        for name, tensor in one.state_dict().items():
            if name not in second or not torch.equal(tensor, second[name]):
                said = f"two models of the same seed that differ in {name}"
                raise self.fault("architecture", said, "weights drawn from torch's global generator alone")

    def gradients(self, model: nn.Module, names: list[str], outputs: Tensor) -> None:
        """Check that f has a gradient in some parameter that is attributed."""
        known = dict(model.named_parameters())
        if not names or not set(names) <= set(known):
            unknown = ", ".join(name for name in names if name not in known) or "none"
            raise self.fault(
                "attributed", unknown, f"one or more of the parameters, such as {next(iter(known), 'none')}"
            )
        if not outputs.requires_grad:
            raise self.fault("output", "f without a gradient", "f made of the model's parameters; do not detach it")
        found = torch.autograd.grad(outputs.sum(), [known[name] for name in names], allow_unused=True)
        if not any(gradient is not None and gradient.abs().max() > 0 for gradient in found):
            raise self.fault(
                "output", "a gradient of 0 in every attributed parameter", "some that is not 0: f must depend on them"
            )
