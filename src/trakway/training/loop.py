"""Train one model: SGD with Nesterov momentum on a triangular learning rate, resumable at every epoch."""

import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from trakway import seeds
from trakway.tasks import Task
from trakway.training.checkpoint import load_tensors, save_tensors

SAVE_SECONDS = 60.0  # keep the state of a run at the end of an epoch once this much work would be lost


def learning_rate(step: int, steps: int, training: dict) -> float:
    """Return the learning rate of optimiser step ``step`` of ``steps``: up over the warm-up, then down to zero."""
    position = (step + 1) / (steps + 1)
    warmup = training["warmup"]
    shape = position / warmup if position < warmup else (1 - position) / (1 - warmup)
    return training["learning_rate"] * shape


def checkpoint_epochs(training: dict) -> list[int]:
    """Return the epochs (counted from 1) after which a checkpoint is kept: evenly spaced, the last one final."""
    epochs, count = training["epochs"], training["checkpoints"]
    return [round(epochs * (i + 1) / count) for i in range(count)]


def autocast(training: dict, device: str) -> torch.autocast:
    """Return the autocast context: bfloat16 where asked for, or (auto) on a GPU that computes in it."""
    kind = torch.device(device).type
    wanted = training["precision"] == "bfloat16"
    if training["precision"] == "auto":
        wanted = kind == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(kind, torch.bfloat16, enabled=wanted)


def deterministic():
    """Return a context in which cuDNN sums in a fixed order; on a CPU with one thread nothing needs saying."""
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=True)


def train_model(task: Task, rows: np.ndarray, training: dict, seed: int, path: Path, fingerprint: str) -> dict:
    """Train a model on training examples ``rows`` and write its checkpoints.

    The final model goes to ``path`` (``NAME.safetensors``), earlier checkpoint c to ``NAME.c.safetensors``. The
    result is a function of the arguments alone: data order and augmentation of an epoch come from ``(seed,
    epoch)``.

    Args:
        task: gives model, batches and loss.
        rows: positions in the training split.
        training: the ``training`` section of an experiment.
        seed: initial weights, data order, augmentation.
        path: the final checkpoint.
        fingerprint: identifies the run; an interrupted run of another fingerprint is not continued.

    Returns:
        ``{"curve": [{"epoch", "loss", "learning_rate"}...]}``: the mean over each epoch.
    """
    model = task.new_model(seed).train()
    parameters = dict(model.named_parameters())
    # fused: one kernel for all parameters instead of four for each.
    optimizer = torch.optim.SGD(
        parameters.values(),
        lr=training["learning_rate"],
        momentum=training["momentum"],
        weight_decay=training["weight_decay"],
        nesterov=training["momentum"] > 0,
        fused=True,
    )
    batches = max(1, round(len(rows) / training["batch_size"]))
    steps = batches * training["epochs"]
    state_path = path.with_suffix(f".{fingerprint}.state.safetensors")
    curve, kept = _restore(model, optimizer, parameters, state_path) if state_path.exists() else ([], [])
    last_saved = time.monotonic()
    for epoch in range(len(curve), training["epochs"]):
        rng = seeds.generator(seed, "epoch", epoch)
        losses, rates = [], []
        for number, part in enumerate(np.array_split(rng.permutation(rows), batches)):
            rate = learning_rate(epoch * batches + number, steps, training)
            for group in optimizer.param_groups:
                group["lr"] = rate
            batch = task.augment(task.train_batch(part), rng)
            with deterministic():
                with autocast(training, task.device):
                    loss = task.loss(model, batch)
                optimizer.zero_grad()
                loss.backward()
            optimizer.step()
            losses.append(loss.detach() * len(part))
            rates.append(rate)
        mean = float(torch.stack(losses).sum()) / len(rows)
        curve.append({"epoch": epoch + 1, "loss": mean, "learning_rate": float(np.mean(rates))})
        if epoch + 1 in checkpoint_epochs(training):
            kept.append({name: tensor.detach().cpu().clone() for name, tensor in model.state_dict().items()})
        if epoch + 1 < training["epochs"] and time.monotonic() - last_saved > SAVE_SECONDS:
            _keep(model, optimizer, parameters, curve, kept, state_path)
            last_saved = time.monotonic()
    for index, weights in enumerate(kept):
        save_tensors(path if index == len(kept) - 1 else checkpoint_path(path, index), weights)
    for state in path.parent.glob(f"{path.stem}.*.state.safetensors"):  # of abandoned runs too
        state.unlink()
    return {"curve": curve}


def checkpoint_path(path: Path, index: int) -> Path:
    """Return the file of intermediate checkpoint ``index`` of the model whose final checkpoint is ``path``."""
    return path.with_suffix(f".{index}.safetensors")


def _keep(model: nn.Module, optimizer, parameters: dict, curve: list[dict], kept: list[dict], path: Path) -> None:
    momentum = {
        f"momentum.{name}": optimizer.state[parameter]["momentum_buffer"]
        for name, parameter in parameters.items()
        if optimizer.state[parameter].get("momentum_buffer") is not None
    }
    weights = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    table = torch.tensor([[row["epoch"], row["loss"], row["learning_rate"]] for row in curve], dtype=torch.float64)
    checkpoints = {f"{i}.{name}": tensor for i, one in enumerate(kept) for name, tensor in one.items()}
    save_tensors(path, weights | momentum | checkpoints | {"curve": table})


def _restore(model: nn.Module, optimizer, parameters: dict, path: Path) -> tuple[list[dict], list[dict]]:
    tensors = load_tensors(path)
    model.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("model.")})
    for name, parameter in parameters.items():
        if f"momentum.{name}" in tensors:
            # Copied into the parameter's memory layout, so that the optimiser's arithmetic is the same.
            buffer = torch.empty_like(parameter).copy_(tensors[f"momentum.{name}"])
            optimizer.state[parameter]["momentum_buffer"] = buffer
    curve = [
        {"epoch": int(epoch), "loss": loss, "learning_rate": rate} for epoch, loss, rate in tensors["curve"].tolist()
    ]
    kept: dict[int, dict] = {}
    for name, tensor in tensors.items():
        index, _, rest = name.partition(".")
        if index.isdigit():
            kept.setdefault(int(index), {})[rest] = tensor
    return curve, [kept[index] for index in sorted(kept)]
