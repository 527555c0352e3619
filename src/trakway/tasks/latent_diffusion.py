"""Latent diffusion with text: noise is added to latents of pictures, and removed by a network that reads a caption.

Rombach et al. (CVPR 2022). While sampling, what is predicted with the caption is moved further away from what is
predicted without (classifier-free guidance; Ho & Salimans, 2022, equation 6); in training a share of the captions is
left out.
"""

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from trakway import seeds
from trakway.data.captioned import CaptionData
from trakway.data.latents import Latents
from trakway.errors import UserError
from trakway.models import build_model
from trakway.models.text_encoder import TextEncoder
from trakway.plan.modalities import Modality
from trakway.tasks.base import Model
from trakway.tasks.diffusion import Diffusion
from trakway.tasks.latents import AUTOENCODER, Autoencoder, encode, encode_captions, fits, load_autoencoder

MODALITY = Modality(
    traits=("image", "steps", "unit_slope", "caption"),
    data="captioned",
    encodes=True,
    sections=("model", "diffusion"),
    feature_sections=("journey.train_draws", "journey.window", "journey.window_draws"),
    target_sections=("journey",),
    targets="sampled",
    target_files=(
        "images.npy",
        "noisy.npy",
        "estimates.npy",
        "timesteps.json",
        "latent_images.npy",
        "latent_noisy.npy",
        "latent_estimates.npy",
        "captions.parquet",
        "caption_states.npy",
    ),
    main="journey_trak",
    models=("unet_text",),
    autoencoder="image_autoencoder",
    domain="image_classification",
)

ON_DEVICE_BYTES = 4 << 30  # states of captions below this size lie on the device
TRIED, CLOSE = 4, 1e-3  # pictures and captions on which a pipeline is tried, and how near it has to come
NOTHING = 0  # number of the empty caption


class LatentDiffusion(Diffusion):
    """Latents of pictures; the condition of a draw is the number of a caption, see `trakway.tasks.diffusion`.

    A picture with several captions is seen with each of them: one drawn in each step of training, in turn over the
    draws of an output.
    """

    network = "UNet2DConditionModel"
    states = "latent_"
    clips = False

    def __init__(
        self, settings: dict, data: Path, device: str = "cpu", targets: Path | None = None, function: str = "output"
    ):
        super().__init__(settings, device, targets, function)
        self.folder = data
        self.data = CaptionData.load(data)
        self.latents = Latents.load(data, targets and Path(targets).parent)
        self.train_size = len(self.data.images.train_labels)
        self.test_size = len(self.data.images.test_labels)

    @classmethod
    def encode(cls, settings: dict, data: Path, device: str, autoencoder: nn.Module | None = None) -> dict:
        """Compute once what all models share: latents of pictures and states of captions; returns the cost.

        Args:
            settings: the sections ``model`` and ``autoencoder``.
            data: folder of the prepared data.
            device: where to compute.
            autoencoder: the trained one; None: that of ``autoencoder.pretrained``.
        """
        own = autoencoder is not None
        network = autoencoder if own else load_autoencoder(settings["autoencoder"]["pretrained"])
        return encode(settings["model"], CaptionData.load(data), data, device, network, standardise=own)

    def export(self, model: nn.Module, folder: Path) -> None:
        """Write a pipeline with everything in it, which ``StableDiffusionPipeline`` of diffusers loads."""
        from diffusers import StableDiffusionPipeline

        encoder = TextEncoder(self.model_settings["text_encoder"], self.model_settings["max_length"])
        encoder.model.config.use_attention_mask = encoder.masked  # what pipelines go by
        scheduler = self.scheduler()
        parts = {
            "unet": model.cpu(),
            "vae": load_autoencoder(self.folder / AUTOENCODER),
            "text_encoder": encoder.model,
            "tokenizer": encoder.tokenizer,
            "scheduler": type(scheduler).from_config(scheduler.config, steps_offset=1),  # as pipelines want it
        }
        none = {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
        StableDiffusionPipeline(**parts, **none).save_pretrained(folder)

    def check_pipeline(self, path: Path) -> None:
        if (path / "vae").is_dir():
            vae, pictures = load_autoencoder(path), self.data.images.centred("train", slice(TRIED))
            known = self.latents.arrays["train"][:TRIED]
            if not (fits(vae, self.picture_shape) and _near(Autoencoder(vae).encode(pictures), known)):
                raise UserError(
                    f"{path}: its vae gives other latents than the experiment's autoencoder, which its network does not"
                    " know, or was rounded to half precision; set autoencoder.pretrained to it, or list others"
                )
        if (path / "text_encoder").is_dir():
            encoder = TextEncoder(str(path), self.model_settings["max_length"])
            if not _near(encoder(self.latents.captions[:TRIED]), self.latents.states[:TRIED]):
                raise UserError(
                    f"{path}: its text encoder gives other states than the experiment's, which its network does not"
                    " know, or was rounded to half precision; set model.text_encoder to this pipeline, or list others"
                )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of a latent."""
        return self.latents.shape

    @property
    def picture_shape(self) -> tuple[int, int, int]:
        return self.data.images.shape

    def architecture(self) -> nn.Module:
        return build_model(self.model_settings, self.shape, len(self.data.images.classes))

    def clean(self, split: str, rows: np.ndarray) -> Tensor:
        return torch.from_numpy(np.array(self.latents.arrays[split][rows]))

    def conditions(
        self, split: str, rows: np.ndarray, draws: int, rng: np.random.Generator | None = None
    ) -> list[Tensor]:
        counts, known = self._of_examples[split]
        several, shape = counts[rows, None], (len(rows), draws)
        chosen = np.arange(draws) % several if rng is None else rng.integers(several, size=shape)
        numbers = known[rows[:, None], chosen]
        if rng is not None:
            numbers[rng.random(numbers.shape) < self.diffusion["caption_dropout"]] = NOTHING
        return [torch.from_numpy(numbers).to(self.device)]

    def target_conditions(self, entries: pd.DataFrame, draws: int) -> list[Tensor]:
        numbers = torch.tensor([self.latents.numbers[caption] for caption in entries["caption"]], device=self.device)
        return [numbers[:, None].expand(-1, draws)]

    def call(self, model: Model, noised: Tensor, timesteps: Tensor, *conditions: Tensor) -> Tensor:
        (numbers,) = conditions
        return model(noised, timesteps, encoder_hidden_states=self._told(numbers), return_dict=False)[0]

    def test_samples(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the latents of test pictures, float32 (B, c, h, w), and their labels."""
        return self.clean("test", rows).numpy(), self.data.images.test_labels[rows]

    def test_captions(self, rows: np.ndarray) -> list[str]:
        return [self.data.captions["test"][row][0] for row in rows]

    def tell(self, captions: Sequence[str], folder: Path) -> None:
        new = tuple(caption for caption in dict.fromkeys(captions) if caption not in self.latents.numbers)
        tokens, states = encode_captions(self.model_settings, new, self.device) if new else ([], self.latents.typed)
        self.latents = self.latents.having(new, np.array(tokens, np.int64), np.asarray(states))
        self.__dict__.pop("_states", None)
        self.latents.write_typed(folder)

    def prompts(self, role: str, count: int, typed: Sequence[str] = ()) -> pd.DataFrame:
        """Return captions of test pictures, each drawn by (seed, role, number), with the pictures' labels."""
        order = seeds.generator(self.seed, f"prompts of {role}").permutation(self.test_size)
        rows = np.resize(order, count)
        choices = [seeds.generator(self.seed, f"wording of {role}", number) for number in range(count)]
        captions = [rng.choice(self.data.captions["test"][row]) for row, rng in zip(rows, choices, strict=True)]
        table = pd.DataFrame({"caption": captions, "label": self.data.images.test_labels[rows]}, index=range(count))
        for number, caption in enumerate(typed):
            table.loc[number] = caption, self.data.labels.get(caption, -1)
        return table

    def exchanged(self, prompts: pd.DataFrame) -> pd.DataFrame:
        labels, found = self.data.labels, []
        for number, one in enumerate(prompts.itertuples()):
            others = sorted(caption for caption, label in labels.items() if label != one.label)
            if not others:  # the data may have been prepared when none was to be exchanged
                self.data.check_exchange(len(prompts))
            nearness = [SequenceMatcher(None, one.caption.split(), other.split()).ratio() for other in others]
            nearest = [other for other, ratio in zip(others, nearness, strict=True) if ratio == max(nearness)]
            found.append(seeds.generator(self.seed, "exchanged caption", number).choice(nearest))
        table = {"caption": found, "label": [labels[caption] for caption in found]}
        return pd.DataFrame(table, index=range(len(found)))

    def told(self, model: nn.Module, captions: Sequence[str]) -> Callable[..., tuple[Tensor, ...]]:
        guidance = self.diffusion["guidance"]
        numbers = torch.tensor([self.latents.numbers[caption] for caption in captions], device=self.device)
        states = self._told(torch.cat([numbers, torch.full_like(numbers, NOTHING)]))

        def predict(noisy: Tensor, step: int, return_dict: bool = False) -> tuple[Tensor, ...]:
            if guidance == 1:
                return model(noisy, step, encoder_hidden_states=states[: len(noisy)], return_dict=False)
            both = model(torch.cat([noisy, noisy]), step, encoder_hidden_states=states, return_dict=False)[0]
            told, untold = both.chunk(2)
            return (untold + guidance * (told - untold),)

        return predict

    def decode(self, states: Tensor | np.ndarray) -> Tensor:
        return self._autoencoder.decode(super().decode(states).float())

    @cached_property
    def _autoencoder(self):
        return Autoencoder(load_autoencoder(self.folder / AUTOENCODER).to(self.device))

    @cached_property
    def _of_examples(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """How many captions each picture has (n,), and their numbers (n, most), filled up with `NOTHING`."""
        found = {}
        for split, captions in self.data.captions.items():
            counts = np.array([len(of_one) for of_one in captions])
            numbers = np.full((len(captions), counts.max(initial=1)), NOTHING)
            for row, of_one in enumerate(captions):
                numbers[row, : len(of_one)] = [self.latents.numbers[caption] for caption in of_one]
            found[split] = counts, numbers
        return found

    @cached_property
    def _states(self) -> Tensor | None:
        """States of all captions on the device; None where they are too many."""
        if self.latents.states.nbytes > ON_DEVICE_BYTES:
            return None
        return torch.from_numpy(np.concatenate([self.latents.states, self.latents.typed])).to(self.device)

    def _told(self, numbers: Tensor) -> Tensor:
        """Return the states (R, L, d) of captions by their numbers (R,)."""
        if self._states is not None:
            return self._states[numbers]
        return torch.from_numpy(self.latents.states_of(numbers.cpu().numpy())).to(self.device)


def _near(found: Tensor, known: np.ndarray) -> bool:
    """Whether a pipeline gives what is known, but for rounding."""
    return found.shape == known.shape and np.allclose(found.numpy(), known, atol=CLOSE * np.abs(known).max())
