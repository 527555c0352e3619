import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trakway.data import ImageData
from trakway.tasks import diffusion

# (image, timestep, patch) of the entries of the fixture ``explained``; image 2 is test image 7, image 3 for tuning.
ENTRIES = [(image, *entry) for image in (0, 1) for entry in ((None, ""), (4, ""), (12, ""), (12, "corner"))]
ENTRIES += [(2, None, ""), (3, None, ""), (3, 4, ""), (3, 12, "")]
SPREAD = {2: [5, 15], 3: [3, 10, 16], 4: [2, 7, 12, 17], 5: [2, 6, 10, 14, 18]}
"""Steps by hand: the middles of equal parts of 0..20, rounded down."""


def plain(noised, timesteps, return_dict):
    """A model that sees every pixel, and the step, on its own."""
    return (torch.sin(3 * noised) * (1 + timesteps.view(-1, 1, 1, 1) / 10),)


def noised_by_hand(image, step, noise):
    """Return x_t, float64, for one image by a scheduler of its own."""
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler(num_train_timesteps=20, beta_schedule="squaredcos_cap_v2")
    image, noise = (torch.as_tensor(values).double() for values in (image, noise))
    return scheduler.add_noise(image[None], noise[None], torch.tensor([int(step)]))[0].numpy()


def by_hand(image, steps, noise, box=(0, 0, 8, 8)):
    """Return (minus the loss, squared norm) of the plain model: a loop over draws and pixels of the box, float64."""
    losses, norms = [], []
    top, left, height, width = box
    for step, epsilon in zip(steps, noise.double().numpy(), strict=True):
        predicted = np.sin(3 * noised_by_hand(image, step, epsilon)) * (1 + step / 10)
        part = np.s_[:, top : top + height, left : left + width]
        losses.append(np.mean((epsilon - predicted)[part] ** 2))
        norms.append(np.mean(predicted[part] ** 2))
    return -np.mean(losses), np.mean(norms)


@pytest.fixture(scope="session")
def task(diffusion_task):
    return diffusion_task()


class TestTargets:
    def test_the_output_and_the_norm_of_every_entry(self, diffusion_task, explained):
        images, estimates = (np.load(explained / f"{name}.npy") for name in ("images", "estimates"))
        batch = diffusion_task().target_batch(np.arange(12))
        expected = []
        for (image, step, patch), noise in zip(ENTRIES, batch[2], strict=True):
            seen = images[image] if step is None else estimates[image, [4, 12].index(step)]
            steps = SPREAD[3] if step is None else [step] * 3
            expected.append(by_hand(seen, steps, noise, (0, 2, 3, 4) if patch else (0, 0, 8, 8)))
        for function, values in zip(("output", "norm"), zip(*expected, strict=True), strict=True):
            found = diffusion_task(function).output(plain, batch)
            assert found.shape == (12,)
            np.testing.assert_allclose(found, values, rtol=1e-5)
            assert len(set(found.tolist())) == 12

    def test_shapes(self, task):
        noised, timesteps, noise, weights = task.target_batch(np.array([8, 3]))
        assert noised.shape == noise.shape == (2, 3, 1, 8, 8)
        assert timesteps.tolist() == [SPREAD[3], [12] * 3]
        assert weights.shape == (2, 1, 8, 8)
        assert (noised.dtype, noise.dtype, timesteps.dtype) == (torch.float32, torch.float32, torch.int64)

    @given(entries=st.lists(st.integers(0, 11), min_size=1, max_size=12))
    @settings(max_examples=30)
    def test_an_entry_does_not_depend_on_the_others(self, task, entries):
        whole = task.target_batch(np.arange(12))
        for found, tensor in zip(task.target_batch(np.array(entries)), whole, strict=True):
            assert torch.equal(found, tensor[entries])

    def test_noise_belongs_to_image_and_timestep(self, diffusion_task, task):
        noise = task.target_batch(np.arange(12))[2]
        keys = [(image, step) for image, step, _ in ENTRIES]
        for i, key in enumerate(keys):
            for j, other in enumerate(keys):
                assert torch.equal(noise[i], noise[j]) == (key == other)  # a patch sees what the whole image sees
        assert abs(noise.mean()) < 0.1
        assert abs(noise.std() - 1) < 0.1
        assert len({tuple(draw.flatten().tolist()) for draw in noise[0]}) == 3
        for function in ("norm", "window-4"):
            assert torch.equal(diffusion_task(function).target_batch(np.arange(12))[2], noise)
        assert not (diffusion_task(seed=1).target_batch(np.arange(12))[2] == noise).any()


class TestTrainingExamples:
    @pytest.mark.parametrize(
        ("function", "steps"), [("output", SPREAD[4]), ("norm", SPREAD[4]), ("window-12", [10, 13])]
    )
    def test_outputs(self, diffusion_task, digits, function, steps):
        task = diffusion_task(function)
        rows = np.array([5, 0, 17, 5])
        batch = task.train_batch(rows)
        images = ImageData.load(digits).train_images[rows] / 127.5 - 1
        assert batch[1].tolist() == [steps] * 4
        expected = [by_hand(image, steps, noise) for image, noise in zip(images, batch[2], strict=True)]
        np.testing.assert_allclose(
            task.output(plain, batch), [norm if function == "norm" else f for f, norm in expected], rtol=1e-5
        )

    @given(rows=st.lists(st.integers(0, 23), min_size=1, max_size=24), function=st.sampled_from(["output", "window-4"]))
    @settings(max_examples=30)
    def test_an_example_does_not_depend_on_the_others(self, diffusion_task, rows, function):
        task = diffusion_task(function)
        whole = task.train_batch(np.arange(24))
        for found, tensor in zip(task.train_batch(np.array(rows)), whole, strict=True):
            assert torch.equal(found, tensor[rows])

    def test_every_example_seed_and_window_has_noise_of_its_own(self, diffusion_task):
        tasks = [diffusion_task(), diffusion_task("window-4"), diffusion_task("window-12"), diffusion_task(seed=1)]
        tasks.append(diffusion_task("norm"))
        first, near, far, other, norm = ([*task.train_batch(np.arange(24))[2][:, :2]] for task in tasks)
        assert all(torch.equal(one, same) for one, same in zip(first, norm, strict=True))
        drawn = [first, near, far, other, [*tasks[0].target_batch(np.arange(8))[2][:, :2]]]
        different = {tuple(noise.flatten().tolist()) for noises in drawn for noise in noises}
        assert len(different) == 4 * 24 + 6  # two of the eight entries are patches

    @given(timestep=st.integers(1, 19), width=st.integers(1, 20), draws=st.integers(1, 8))
    @settings(max_examples=40)
    def test_a_window_is_around_its_timestep(self, diffusion_task, timestep, width, draws):
        task = diffusion_task(f"window-{timestep}", journey={"window": width, "window_draws": draws})
        (steps,) = task.train_batch(np.array([3]))[1].tolist()
        low = timestep - width // 2
        assert len(steps) == draws
        assert steps == sorted(steps)
        assert max(0, low) <= steps[0]
        assert steps[-1] < min(20, low + width)
        if draws == width and low >= 0 and low + width <= 20:
            assert steps == list(range(low, low + width))

    def test_colours(self, diffusion_task):
        task = diffusion_task()
        pixels = np.random.default_rng(0).integers(0, 256, (24, 3, 8, 8), np.uint8)
        task.data = dataclasses.replace(task.data, train_images=pixels)
        batch = task.train_batch(np.array([1, 2]))
        expected = [by_hand(pixels[row] / 127.5 - 1, SPREAD[4], batch[2][i])[0] for i, row in enumerate((1, 2))]
        np.testing.assert_allclose(task.output(plain, batch), expected, rtol=1e-5)


class TestTraining:
    def test_batches(self, task, digits):
        rows = np.array([5, 0, 17, 5])
        noised, timesteps, noise, weights = task.training_batch(rows, np.random.default_rng(3))
        images = ImageData.load(digits).train_images[rows] / 127.5 - 1
        assert noised.shape == noise.shape == (4, 1, 1, 8, 8)
        assert timesteps.shape == (4, 1)
        expected = [noised_by_hand(images[i], timesteps[i, 0], noise[i, 0]) for i in range(4)]
        np.testing.assert_allclose(noised[:, 0], expected, rtol=1e-5, atol=1e-6)
        assert torch.equal(weights, torch.full((4, 1, 8, 8), 1 / 64))

    def test_steps_and_noise_come_from_the_generator(self, task):
        rows = np.arange(24).repeat(50)
        one, same, other = (task.training_batch(rows, np.random.default_rng(seed)) for seed in (0, 0, 1))
        assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
        assert not (one[2] == other[2]).any()
        counts = np.bincount(one[1].flatten(), minlength=20)
        assert len(counts) == 20  # every step of the schedule, and none beyond
        assert np.abs(counts - 60).max() < 5 * np.sqrt(60)
        assert abs(one[2].mean()) < 0.02
        assert abs(one[2].std() - 1) < 0.02

    def test_the_loss_is_the_mean_of_minus_the_outputs(self, task):
        for batch in (task.training_batch(np.arange(24), np.random.default_rng(0)), task.train_batch(np.arange(5))):
            outputs = task.output(plain, batch)
            torch.testing.assert_close(task.loss(plain, batch), -outputs.mean())
            assert outputs.max() < 0
        assert task.loss_slope(outputs).tolist() == [1.0] * 5

    def test_what_is_trained_does_not_depend_on_the_function(self, diffusion_task):
        tasks = [diffusion_task(function) for function in ("output", "norm", "window-4")]
        batches = [task.training_batch(np.arange(5), np.random.default_rng(0)) for task in tasks]
        for parts in zip(*batches, strict=True):
            assert all(torch.equal(part, parts[0]) for part in parts)
        losses = {task.loss(plain, batches[0]).item() for task in tasks}
        assert len(losses) == 1

    def test_half_precision_ends_at_the_prediction(self, task):
        batch = task.train_batch(np.arange(5))
        found = task.output(lambda *arguments, **options: (plain(*arguments, **options)[0].bfloat16(),), batch)
        assert found.dtype == torch.float32
        torch.testing.assert_close(found, task.output(plain, batch), rtol=1e-2, atol=0)

    def test_the_test_loss(self, task, digits, monkeypatch):
        batches = []

        def spy(model, batch):
            batches.append(batch)
            return -type(task).output(task, model, batch).mean()

        monkeypatch.setattr(task, "loss", spy)
        images = ImageData.load(digits).test_images / 127.5 - 1
        for many, rows in ((100, 12), (5, 5)):
            monkeypatch.setattr(diffusion, "EVALUATED", many)
            found = task.evaluate(plain)
            assert found == task.evaluate(plain)
            noise = batches[-1][2]
            assert noise.shape == (rows, 5, 1, 8, 8)
            assert torch.equal(noise, batches[0][2][:rows])
            losses = [-by_hand(images[row], SPREAD[5], noise[row])[0] for row in range(rows)]
            assert found == {"test_loss": pytest.approx(np.mean(losses), rel=1e-5)}


@given(rows=st.integers(1, 30), examples=st.integers(1, 6), split=st.sampled_from(["train_batch", "target_batch"]))
def test_pieces_hold_every_draw_once(task, rows, examples, split):
    batch = tuple(t.double() if t.is_floating_point() else t for t in getattr(task, split)(np.arange(examples)))
    f, shares = torch.zeros(2, examples, dtype=torch.float64)
    for part, share, piece in task.pieces(batch, rows):
        assert piece[1].numel() <= rows
        assert all(len(tensor) == len(f[part]) for tensor in piece)
        f[part] += share * task.output(plain, piece)
        shares[part] += share
    torch.testing.assert_close(shares, torch.ones(examples, dtype=torch.float64))
    torch.testing.assert_close(f, task.output(plain, batch))


def test_draws_are_the_most_of_any_example(diffusion_task):
    for key in ("train_draws", "target_draws", "window_draws"):
        assert diffusion_task(journey={key: 9}).draws == 9


def test_test_images_are_in_minus_one_to_one(task, digits):
    found = task.test_samples(np.array([7, 0]))[0]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, ImageData.load(digits).test_images[[7, 0]] / 127.5 - 1, atol=1e-6)
    assert (found.min(), found.max()) == (-1, 1)


def test_schedule_and_network_are_those_of_the_settings(diffusion_task):
    for schedule, steps in (("linear", 20), ("squaredcos_cap_v2", 50)):
        task = diffusion_task(diffusion={"schedule": schedule, "timesteps": steps})
        config = task.scheduler().config
        assert (config.beta_schedule, config.num_train_timesteps) == (schedule, steps)
        assert task.scheduler() is not task.scheduler()  # set_timesteps changes one
    model = task.new_model(0)
    assert model.config.block_out_channels == (8, 8)
    assert (model.config.sample_size, model.config.in_channels, model.config.out_channels) == (8, 1, 1)
    assert (task.train_size, task.test_size, task.checkpoint_format) == (24, 12, "diffusers")
