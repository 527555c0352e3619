"""A user's own checkpoints in the place of trained models."""

from collections.abc import Sequence
from pathlib import Path

import torch

from trakway.errors import UserError
from trakway.models.finite import first_bad_tensor
from trakway.runtime import resources
from trakway.storage.files import read_json
from trakway.storage.fingerprint import file_digest
from trakway.tasks import Generative, Task
from trakway.training.checkpoint import load_checkpoint
from trakway.training.pretrained import network_folder, pipeline_folder

ADVICE = "list folders that save_pretrained of such a network, or of a pipeline around one, has written"
WHOLE = (
    "list whole files of safetensors, state dicts of torch.save, or folders of save_pretrained where the task has such"
)

SAME_NOISE = "set timesteps, schedule, beta_start, beta_end and prediction of diffusion to what they were trained with"

NOT_OURS = ("rescale_betas_zero_snr", "trained_betas")
"""What noise schedules may have, and those of experiments have not."""

LONGEST = 30  # letters of a value in a message


def adopt(task: Task, checkpoints: Sequence[str | Path], indices: Sequence[int]) -> tuple[list[dict], list[dict], dict]:
    """Describe checkpoints as `train_shard` describes the models it has trained, each of them loaded once to check it.

    Args:
        task: the modality.
        checkpoints: of all models: files of safetensors, folders that the task reads, or of a generative task folders
            of a network, or of a pipeline with ``unet/``.
        indices: the models of this shard.

    Returns:
        (models, curves, cost): no curves and no cost. A model's file is the absolute path of its network, it counts
        as trained on all examples, and its loss is not known: None.

    Raises:
        UserError: one is not there or not whole, or its network or noise schedule does not fit the experiment.
    """
    generative = task.checkpoint_format == "diffusers"
    models = []
    for index in indices:
        if index >= len(checkpoints):
            raise UserError(
                f"members.checkpoints: found {len(checkpoints)}, and member {index} is asked for; list as many as"
                " members.count says"
            )
        path = Path(checkpoints[index]).expanduser().absolute()
        try:
            bad = first_bad_tensor(load_checkpoint(task, path, advice=ADVICE if generative else WHOLE))
            if bad is not None:
                raise UserError(f"{path}: found NaN or infinity in {bad}; allowed: finite weights; name another one")
            if isinstance(task, Generative):
                task.check_pipeline(pipeline_folder(path))
        except UserError as error:
            named = str(error).startswith("members.checkpoints")
            raise UserError(str(error) if named else f"members.checkpoints: {error}") from None
        if generative:
            _check_schedule(task, pipeline_folder(path))
            path = network_folder(path)
        models.append(
            {
                "index": index,
                "subset": None,
                "seed": 0,
                "train_size": task.train_size,
                "loss": None,
                "checkpoints": [{"file": str(path), "sha256": file_digest(path)}],
                "learning_rates": [1.0],
            }
        )
    return models, [], resources.add()


def _check_schedule(task: Task, path: Path) -> None:
    """Compare the noise schedule beside a network, where there is one, with the experiment's.

    Raises:
        UserError: the noise at some step, or what the network predicts, is not the same.
    """
    from diffusers import DDPMScheduler

    files = [path / "scheduler" / "scheduler_config.json", path / "scheduler_config.json"]
    file = next((file for file in files if file.exists()), None)
    if file is None:
        return
    try:
        # Of other schedulers for the same networks (DDIM, PNDM) too: the training schedule has the same keys in all.
        found = DDPMScheduler.from_config(dict(read_json(file)))
    except (ValueError, TypeError, NotImplementedError) as error:
        raise UserError(f"members.checkpoints: {file} does not describe a noise schedule ({error}); {ADVICE}") from None
    expected = task.scheduler()
    same = found.alphas_cumprod.shape == expected.alphas_cumprod.shape and torch.allclose(
        found.alphas_cumprod, expected.alphas_cumprod, rtol=1e-4, atol=1e-7
    )
    if not same or found.config.prediction_type != expected.config.prediction_type:
        own = next((key for key in NOT_OURS if found.config[key]), None)
        advice = f"experiments have no {own}; list networks without it" if own else SAME_NOISE
        said = f"{file} has {_schedule(found)}, and the experiment has {_schedule(expected)}"
        raise UserError(f"members.checkpoints: {said}; {advice}")


def _schedule(scheduler) -> str:
    """Return a noise schedule in words, what few have only where it is there."""
    keys = ["num_train_timesteps", "beta_schedule", "beta_start", "beta_end", "prediction_type"]
    keys += [key for key in NOT_OURS if scheduler.config[key]]
    words = {key: str(scheduler.config[key]) for key in keys}
    return ", ".join(f"{key} {word if len(word) <= LONGEST else 'of its own'}" for key, word in words.items())
