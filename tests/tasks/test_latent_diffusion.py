import copy
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from trakway.data.latents import Latents
from trakway.errors import UserError
from trakway.generation.journeys import decoded, draw_journeys, sample_journeys
from trakway.gradients import per_example, per_example_gradients
from trakway.models import build_model
from trakway.models.text_encoder import TextEncoder
from trakway.storage.files import read_table
from trakway.tasks.latent_diffusion import LatentDiffusion
from trakway.tasks.latents import load_autoencoder
from trakway.training import adopt, load_model

AUTOENCODER = {"name": "autoencoder", "widths": [4, 8], "latent_channels": 3, "norm_groups": 2}
DRAWS = {"train_draws": 8, "target_draws": 3, "window": 6, "window_draws": 2}
PATCH = {"name": "corner", "timestep": 12, "box": [1, 4, 4, 5]}


@pytest.fixture(scope="module")
def given(tiny_bert):
    """The sections of a small experiment."""
    return {
        "task": "latent_diffusion",
        "seed": 0,
        "model": {
            "name": "unet_text",
            "widths": [8, 8],
            "norm_groups": 4,
            "text_encoder": str(tiny_bert),
            "max_length": 8,
            "text_width": 4,
        },
        "diffusion": {
            "timesteps": 20,
            "schedule": "scaled_linear",
            "beta_start": 0.001,
            "beta_end": 0.2,
            "prediction": "v_prediction",
            "caption_dropout": 0.25,
            "guidance": 2.5,
            "sampling_steps": 10,
        },
        "journey": {"timesteps": [4, 12], "patches": [PATCH], **DRAWS},
    }


@pytest.fixture(scope="module")
def data(captioned, given, tmp_path_factory):
    folder = tmp_path_factory.mktemp("latents") / "data"
    shutil.copytree(captioned, folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        autoencoder = build_model(AUTOENCODER, (1, 16, 16), 0)
    LatentDiffusion.encode(given, folder, "cpu", autoencoder)
    return folder


@pytest.fixture(scope="module")
def task(given, data):
    return LatentDiffusion(given, data)


@pytest.fixture(scope="module")
def model(task):
    return task.new_model(1).eval()


@pytest.fixture(scope="module")
def targets(task, model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("targets")
    draw_journeys(task, model, {"count": 2, "tuning": 1, "real": 2, "exchanged": 2, "captions": []}, folder)
    return folder


@pytest.fixture(scope="module")
def explained(given, data, targets):
    def explained(function="output", **diffusion):
        changed = copy.deepcopy(given)
        changed["diffusion"] |= diffusion
        return LatentDiffusion(changed, data, targets=targets / "targets.parquet", function=function)

    return explained


def by_hand(task, model, state, steps, noise, caption, box, prediction):
    """Return minus the loss of a state, float64: a loop over draws."""
    scheduler, losses = task.scheduler(), []
    states = torch.from_numpy(task.latents.states[task.latents.captions.index(caption)])[None].double()
    top, left, bottom, right = box
    for step, epsilon in zip(steps, noise, strict=True):
        kept = scheduler.alphas_cumprod[step].double()
        noised = kept.sqrt() * state + (1 - kept).sqrt() * epsilon
        goal = epsilon if prediction == "epsilon" else kept.sqrt() * epsilon - (1 - kept).sqrt() * state
        found = model(noised[None], int(step), encoder_hidden_states=states).sample[0]
        losses.append((found - goal)[:, top:bottom, left:right].square().mean())
    return -float(torch.stack(losses).mean().detach())


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_output_of_every_entry(explained, model, targets, prediction):
    task, table = explained(prediction=prediction), read_table(targets / "targets.parquet")
    arrays = {name: np.load(targets / f"latent_{name}.npy") for name in ("images", "estimates")}
    batch = task.target_batch(np.arange(len(table)))
    found = task.output(model, batch)
    exact = copy.deepcopy(model).double()
    noise = _noise(task, table)
    for entry, value, epsilon in zip(table.itertuples(), found.tolist(), noise, strict=True):
        whole = pd.isna(entry.timestep)
        state = arrays["images"][entry.target]
        if not whole:
            state = arrays["estimates"][entry.target, [4, 12].index(entry.timestep)]
        steps = [3, 10, 16] if whole else [entry.timestep] * 3
        box = (0, 2, 3, 5) if entry.patch else (0, 0, 8, 8)  # of pixels 1..5 and 4..9, two a side to a coordinate
        expected = by_hand(task, exact, torch.tensor(state).double(), steps, epsilon, entry.caption, box, prediction)
        assert value == pytest.approx(expected, rel=1e-4), entry
    assert table["caption"].nunique() > 1


def _noise(task, table):
    """Return the noise of each entry, of which the batch holds no copy where velocities are predicted."""
    plain = LatentDiffusion.__new__(LatentDiffusion)
    plain.__dict__ |= task.__dict__ | {"diffusion": task.diffusion | {"prediction": "epsilon"}}
    return plain.target_batch(np.arange(len(table)))[2].double()


def test_captions_take_turns_over_the_draws_of_an_example(task):
    rows = np.array([5, 0, 3])
    numbers = task.train_batch(rows)[3]
    for row, found in zip(rows, numbers.tolist(), strict=True):
        captions = [task.latents.captions[number] for number in found]
        assert captions == [task.data.captions["train"][row][draw % 4] for draw in range(8)]


def test_a_step_of_training_draws_captions_and_leaves_some_out(task):
    rows = np.repeat(np.arange(16), 50)
    drawn = [task.training_batch(rows, np.random.default_rng(seed))[3][:, 0].numpy() for seed in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).mean() > 0.5
    assert (drawn[0] == 0).mean() == pytest.approx(0.25, abs=0.06)
    for row, number in zip(rows, drawn[0], strict=True):
        assert number == 0 or task.latents.captions[number] in task.data.captions["train"][row]
    assert len({task.latents.captions[number] for number in drawn[0]}) == 9


def test_guidance_moves_away_from_what_is_predicted_without_a_caption(task, model):
    captions = [task.data.captions["test"][row][0] for row in (0, 5)]
    noisy = torch.randn(2, *task.shape, generator=torch.Generator().manual_seed(0))
    states = torch.from_numpy(task.latents.states[[task.latents.captions.index(caption) for caption in captions]])
    nothing = torch.from_numpy(task.latents.states[[0, 0]])
    with torch.no_grad():
        told, untold = (model(noisy, 7, encoder_hidden_states=s).sample for s in (states, nothing))
        (found,) = task.told(model, captions)(noisy, 7, return_dict=False)
    torch.testing.assert_close(found, untold + 2.5 * (told - untold), rtol=1e-4, atol=1e-5)
    assert (told - untold).abs().max() > 1e-4


def test_per_example_gradients_are_a_loop_of_autograd(task, model, monkeypatch):
    monkeypatch.setattr(per_example, "vmapped", None)  # the layerwise path serves the whole network
    batch = task.train_batch(np.array([1, 4]))
    outputs, rows = per_example_gradients(task, model, batch)
    names = task.attributed(model)
    assert rows.shape == (2, sum(model.get_parameter(name).numel() for name in names))
    for row in range(2):
        f = task.output(model, tuple(tensor[row : row + 1] for tensor in batch))[0]
        expected = torch.autograd.grad(f, [model.get_parameter(name) for name in names], materialize_grads=True)
        expected = torch.cat([gradient.flatten() for gradient in expected])
        assert float(outputs[row]) == pytest.approx(float(f.detach()), rel=1e-5)
        torch.testing.assert_close(rows[row], expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max()))


def test_pictures_are_decoded_states(task, model, targets):
    for name in ("images", "noisy", "estimates"):
        states, pictures = np.load(targets / f"latent_{name}.npy"), np.load(targets / f"{name}.npy")
        assert pictures.shape == (*states.shape[:-3], 1, 16, 16)
        np.testing.assert_allclose(pictures, decoded(task, states), atol=1e-5)
        alone = task.decode(states[0].reshape(-1, 3, 8, 8)).reshape(pictures[0].shape)
        np.testing.assert_allclose(pictures[0], alone, atol=1e-5)


def test_exchanged_entries_are_the_same_states_under_a_caption_of_another_class(task, model, targets):
    table = read_table(targets / "targets.parquet")
    arrays = {name: np.load(targets / f"latent_{name}.npy") for name in ("images", "noisy", "estimates")}
    exchanged = table[table["kind"] == "exchanged"]
    assert exchanged["timestep"].fillna(-1).tolist() == [-1, 4, 12] * 2
    assert table["role"].tolist() == ["evaluation"] * 16 + ["tuning"] * 3
    scheduler = task.scheduler()
    for other in exchanged[exchanged["timestep"].isna()].itertuples():
        own = table[(table["target"] == other.row) & table["timestep"].isna()].iloc[0]
        assert other.label != own["label"]
        assert other.caption in {c for of_one in task.data.captions["train"] for c in of_one}
        assert [("coat" in one) for one in (own["caption"], other.caption)].count(True) == 1
        assert own["caption"].replace("coat", "bag") == other.caption.replace("coat", "bag")  # the nearest there is
        for name in ("images", "noisy"):
            np.testing.assert_array_equal(arrays[name][other.target], arrays[name][other.row])
        for place, step in enumerate([4, 12]):
            noisy = torch.from_numpy(arrays["noisy"][other.target, place])[None]
            with torch.no_grad():
                (velocity,) = task.told(model, [other.caption])(noisy, step)
            kept = scheduler.alphas_cumprod[step]
            expected = kept.sqrt() * noisy - (1 - kept).sqrt() * velocity
            found = torch.from_numpy(arrays["estimates"][other.target, place])[None]
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_nothing_to_exchange_a_caption_for(task, monkeypatch):
    monkeypatch.setitem(task.data.__dict__, "labels", dict.fromkeys(task.data.labels, 0))
    prompts = pd.DataFrame({"caption": "a coat", "label": [-1, 0]})
    assert len(task.exchanged(prompts[:1])) == 1  # typed, of no class
    with pytest.raises(UserError, match="targets.exchanged: found 2, and the dataset has captions of one class only"):
        task.exchanged(prompts)


def test_samples_are_told_captions_of_test_pictures(task, model, targets):
    table = read_table(targets / "targets.parquet")
    labels, captions = task.data.images.test_labels, task.data.captions["test"]
    known = {caption: label for label, of_one in zip(labels, captions, strict=True) for caption in of_one}
    assert all(known[entry.caption] == entry.label for entry in table.itertuples())
    prompts = task.prompts("samples", 30)
    assert set(prompts["label"]) == {0, 1}
    pd.testing.assert_frame_equal(prompts[:5], task.prompts("samples", 5))
    own, other = (sample_journeys(task, model, "samples", {0: prompts["caption"][number]})[0] for number in (0, 1))
    np.testing.assert_allclose(own, np.load(targets / "latent_images.npy")[:1], atol=1e-5)
    assert prompts["caption"][0] != prompts["caption"][1]
    assert np.abs(other - own).max() > 1e-3


def test_an_exported_model_is_a_pipeline_of_diffusers(task, model, tmp_path):
    from diffusers import StableDiffusionPipeline

    task.export(model, tmp_path / "pipeline")
    pipeline = StableDiffusionPipeline.from_pretrained(tmp_path / "pipeline", safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    caption = task.data.captions["test"][0][0]
    told, untold = pipeline.encode_prompt(caption, "cpu", 1, True)
    states = torch.from_numpy(task.latents.states[[task.latents.captions.index(caption), 0]])
    torch.testing.assert_close(torch.cat([told, untold]), states, rtol=1e-4, atol=1e-5)
    noise = torch.randn(1, *task.shape, generator=torch.Generator().manual_seed(3))
    options = {"num_inference_steps": 10, "guidance_scale": 2.5, "output_type": "latent"}
    found = pipeline(caption, latents=noise, generator=torch.Generator().manual_seed(4), **options).images
    # Pipelines move the steps by one, whatever the scheduler says.
    scheduler, generator = task.scheduler().from_config(pipeline.scheduler.config), torch.Generator().manual_seed(4)
    scheduler.set_timesteps(10)
    predict, x = task.told(model, [caption]), noise
    with torch.no_grad():
        for step in scheduler.timesteps:
            x = scheduler.step(predict(x, int(step))[0], step, x, generator=generator).prev_sample
    torch.testing.assert_close(found, x, rtol=1e-3, atol=1e-4)


def test_adopted_pipelines(task, model, given, data, captioned, tiny_bert, tmp_path):
    task.export(task.new_model(1), tmp_path / "ours")
    (found,), _, _ = adopt(task, [tmp_path / "ours"], range(1))
    loaded = load_model(task, tmp_path, found)
    batch = task.train_batch(np.arange(2))
    torch.testing.assert_close(task.output(loaded, batch), task.output(model, batch), rtol=1e-4, atol=1e-5)

    shutil.copytree(tmp_path / "ours", tmp_path / "seeing")
    other = load_autoencoder(tmp_path / "seeing")
    other.register_to_config(scaling_factor=0.5)
    other.save_pretrained(tmp_path / "seeing" / "vae")
    with pytest.raises(UserError, match=r"members.checkpoints: .*seeing: its vae gives other latents .*pretrained"):
        adopt(task, [tmp_path / "seeing"], range(1))
    channels = other.config.in_channels + 1
    type(other).from_config(other.config, in_channels=channels).save_pretrained(tmp_path / "seeing" / "vae")
    with pytest.raises(UserError, match=r"members.checkpoints: .*seeing: its vae gives other latents .*pretrained"):
        adopt(task, [tmp_path / "seeing"], range(1))

    shutil.copytree(tmp_path / "ours", tmp_path / "reading")
    encoder = TextEncoder(str(tiny_bert), 8).model
    with torch.no_grad():
        encoder.embeddings.word_embeddings.weight.mul_(-1)
    encoder.save_pretrained(tmp_path / "reading" / "text_encoder")
    with pytest.raises(UserError, match=r"reading: its text encoder gives other states .* set model.text_encoder"):
        adopt(task, [tmp_path / "reading"], range(1))

    shutil.copytree(tmp_path / "ours", tmp_path / "noisy")
    task.scheduler().from_config(task.scheduler().config, beta_end=0.3).save_pretrained(tmp_path / "noisy/scheduler")
    with pytest.raises(UserError, match=r"noisy/scheduler/scheduler_config.json has .* beta_end 0.3,"):
        adopt(task, [tmp_path / "noisy"], range(1))


TYPED = ("a coat made of glass", "a photo of a coat")


@pytest.fixture(scope="module")
def typed(given, data, model, tmp_path_factory):
    """Targets of which a person has typed the first two; only the second is a caption of examples."""
    folder = tmp_path_factory.mktemp("typed")
    task = LatentDiffusion(given, data)
    targets = {"count": 3, "tuning": 1, "real": 1, "exchanged": 2, "captions": list(TYPED)}
    draw_journeys(task, model, targets, folder)
    return folder


def test_typed_captions_are_those_of_the_first_samples(task, typed):
    table = read_table(typed / "targets.parquet")
    first = table[table["timestep"].isna()].iloc[:3]
    assert first["caption"].tolist() == [*TYPED, task.prompts("samples", 3)["caption"][2]]
    assert first["label"].tolist() == [
        -1,
        task.data.images.classes.index("coat"),
        task.prompts("samples", 3)["label"][2],
    ]


def test_typed_captions_are_read_back_as_the_encoder_has_them(given, data, typed, model, tiny_bert):
    task = LatentDiffusion(given, data, targets=typed / "targets.parquet")
    assert task.latents.captions[len(task.latents.states) :] == TYPED[:1]
    expected = TextEncoder(str(tiny_bert), 8)(TYPED)
    (numbers,) = task.target_conditions(task.targets.iloc[[0, 4]], 2)
    told = task._told(numbers)
    assert told.shape == (2, 2, 8, expected.shape[2])
    torch.testing.assert_close(told, expected[:, None].expand_as(told), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(task.latents.states_of(numbers.numpy()), told.numpy())
    # Guidance sees the same: what is told goes the same way as a caption of examples.
    start = torch.randn(1, *task.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        (found,) = task.told(model, TYPED[:1])(start, 4)
        told, nothing = (
            model(start, 4, encoder_hidden_states=states, return_dict=False)[0]
            for states in (expected[:1], task._told(torch.zeros(1, dtype=torch.int64)))
        )
    torch.testing.assert_close(found, nothing + 2.5 * (told - nothing), rtol=1e-3, atol=1e-4)


def test_what_is_typed_changes_no_other_sample(task, model, typed, tmp_path):
    draw_journeys(task, model, {"count": 3, "tuning": 1, "real": 1, "exchanged": 0, "captions": []}, tmp_path)
    with_typed, without = (np.load(folder / "latent_images.npy") for folder in (typed, tmp_path))
    assert not np.allclose(with_typed[0], without[0], atol=1e-3)
    np.testing.assert_allclose(with_typed[2], without[2], atol=1e-4)


def test_the_direction_of_a_typed_caption(data, typed, tiny_bert):
    latents = Latents.load(data, typed)
    encoder = TextEncoder(str(tiny_bert), 8)
    (count,) = encoder.tokens(TYPED[:1])
    expected = encoder(TYPED[:1])[0, : min(count, 8)].mean(0)
    np.testing.assert_allclose(latents.means(TYPED[:1])[0], expected, rtol=1e-4, atol=1e-5)
