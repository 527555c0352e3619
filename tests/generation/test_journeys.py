import numpy as np
import pandas as pd
import pytest
import torch

from trakway.data import ImageData
from trakway.errors import UserError
from trakway.generation import journeys
from trakway.generation.journeys import draw_journeys, journey_generators, journey_table, sample_journeys
from trakway.generation.sampling import denoise
from trakway.storage.files import read_json, read_table
from trakway.targets.table import COLUMNS, groups, seen_by

PATCHES = [
    {"name": "ear", "timestep": 900, "box": [0, 0, 2, 2]},
    {"name": "tail", "timestep": 50, "box": [4, 4, 4, 4]},
]
JOURNEY = {"timesteps": [300, 900, 50], "patches": PATCHES}


def untold(numbers):
    """Samples of nothing in particular."""
    return dict.fromkeys(numbers, "")


def examples(labels, **columns):
    """What samples or test images are told and labelled."""
    return pd.DataFrame({"caption": "", "label": labels} | columns, index=range(len(labels)))


@pytest.fixture(scope="module")
def task(diffusion_task):
    return diffusion_task()


@pytest.fixture(scope="module")
def model(task):
    return task.new_model(1).eval()


@pytest.fixture(scope="module")
def drawn(task, model):
    """Final images, x_t and estimates of five samples."""
    return sample_journeys(task, model, "samples", untold(range(5)))


def completed(task, model, noisy, step=None, role="samples"):
    """Follow the five samples from x_t down with the noise of their journey."""
    scheduler = task.scheduler()
    scheduler.set_timesteps(20)
    *_, (_, images, _) = denoise(model, scheduler, torch.tensor(noisy), journey_generators(0, role, range(5)), step)
    return images.numpy()


class TestSampling:
    def test_shapes(self, drawn):
        final, noisy, estimates = drawn
        assert final.shape == (5, 1, 8, 8)
        assert noisy.shape == estimates.shape == (5, 2, 1, 8, 8)
        assert {array.dtype for array in drawn} == {np.dtype(np.float32)}
        assert len({image.tobytes() for image in final}) == 5
        assert np.isfinite(final).all()

    def test_a_journey_begins_with_noise_of_its_own(self, task, model, drawn):
        start = np.stack([torch.randn((1, 8, 8), generator=g) for g in journey_generators(0, "samples", range(5))(20)])
        assert abs(start.mean()) < 0.2
        assert abs(start.std() - 1) < 0.2
        np.testing.assert_allclose(completed(task, model, start), drawn[0], atol=1e-5)

    @pytest.mark.parametrize(("place", "step"), [(0, 4), (1, 12)])
    def test_taken_up_at_a_step_a_journey_ends_in_the_same_image(self, task, model, drawn, place, step):
        final, noisy, _ = drawn
        np.testing.assert_allclose(completed(task, model, noisy[:, place], step), final, atol=1e-5)
        assert np.abs(completed(task, model, noisy[:, place], step, "tuning samples") - final).max() > 0.01

    @pytest.mark.parametrize(("place", "step"), [(0, 4), (1, 12)])
    def test_estimates(self, task, model, drawn, place, step):
        _, noisy, estimates = drawn
        x, bar = noisy[:, place].astype(np.float64), task.scheduler().alphas_cumprod[step].item()
        with torch.no_grad():
            predicted = model(torch.tensor(noisy[:, place]), step).sample.numpy()
        expected = (x - np.sqrt(1 - bar) * predicted) / np.sqrt(bar)
        np.testing.assert_allclose(estimates[:, place], expected.clip(-1, 1), atol=1e-5)
        assert (np.abs(expected) > 1).any()

    @pytest.mark.parametrize("together", [1, 2])
    def test_batches_change_nothing(self, task, model, drawn, monkeypatch, together):
        monkeypatch.setattr(journeys, "SAMPLES_AT_ONCE", together)
        for found, array in zip(sample_journeys(task, model, "samples", untold(range(5))), drawn, strict=True):
            np.testing.assert_allclose(found, array, atol=1e-5)

    def test_a_sample_is_its_number_role_and_seed(self, diffusion_task, task, model, drawn):
        for found, array in zip(sample_journeys(task, model, "samples", untold([4, 1])), drawn, strict=True):
            np.testing.assert_allclose(found, array[[4, 1]], atol=1e-5)
        for task_, role in ((task, "tuning samples"), (diffusion_task(seed=1), "samples")):
            other = sample_journeys(task_, model, role, untold([0]))[1]
            assert np.abs(other - drawn[1][:1]).max() > 0.1

    def test_noise_is_of_seed_role_sample_and_step(self):
        names = [(0, "a", (1, 2), 5), (1, "a", (1, 2), 5), (0, "b", (1, 2), 5), (0, "a", (1, 2), 4)]
        drawn = [torch.randn(3, generator=g) for *name, step in names for g in journey_generators(*name)(step)]
        assert len({tuple(noise.tolist()) for noise in drawn}) == 8
        (alone,) = journey_generators(0, "a", [2])(5)
        assert torch.equal(torch.randn(3, generator=alone), drawn[1])

    def test_none(self, task, model):
        final, noisy, estimates = sample_journeys(task, model, "samples", untold([]))
        assert final.shape == (0, 1, 8, 8)
        assert noisy.shape == estimates.shape == (0, 2, 1, 8, 8)


class TestTable:
    def test_by_hand(self):
        table = journey_table(
            pd.DataFrame({"caption": ["a", "b"], "label": [3, -1]}),
            pd.DataFrame({"row": [70, 3], "caption": ["c", "d"], "label": [5, 0]}),
            pd.DataFrame({"caption": ["e"], "label": [4]}),
            JOURNEY,
        )
        steps = [(None, ""), (300, ""), (900, ""), (50, "")]
        patches = [(900, "ear"), (50, "tail")]
        told = [("a", 3), ("b", -1)]
        expected = [
            (i, i, "evaluation", label, "generated", *e, caption)
            for i, (caption, label) in enumerate(told)
            for e in steps + patches
        ]
        expected += [(2, 70, "evaluation", 5, "test", None, "", "c"), (3, 3, "evaluation", 0, "test", None, "", "d")]
        expected += [(4, 0, "tuning", 4, "generated", *e, "e") for e in steps]
        pd.testing.assert_frame_equal(table, pd.DataFrame(expected, columns=COLUMNS).astype({"timestep": "Int64"}))
        assert not table.duplicated(["target", "timestep", "patch"]).any()

    @pytest.mark.parametrize("counts", [(3, 0, 0), (1, 4, 0), (2, 0, 3), (0, 1, 2)])
    def test_counts(self, counts):
        count, tuning, real = counts
        rows = examples([0] * real, row=np.arange(real) + 10)
        table = journey_table(examples([-1] * count), rows, examples([-1] * tuning), JOURNEY)
        assert str(table["timestep"].dtype) == "Int64"
        evaluated = table["role"] == "evaluation"
        assert evaluated.tolist() == sorted(evaluated, reverse=True)  # they come first
        assert (evaluated.sum(), (~evaluated).sum()) == (6 * count + real, 4 * tuning)
        assert table["target"].drop_duplicates().tolist() == list(range(count + real + tuning))
        found = {(group.kind, group.timestep): len(group.positions) for group in groups(table)}
        whole = {("generated", step): count for step in (None, 50, 300, 900)}
        whole |= {("patch ear", 900): count, ("patch tail", 50): count, ("test", None): real}
        assert found == {key: number for key, number in whole.items() if number}


class TestFiles:
    def test_what_is_drawn(self, task, model, drawn, digits, tmp_path):
        draw_journeys(task, model, {"count": 3, "tuning": 2, "real": 4, "exchanged": 0, "captions": []}, tmp_path)
        images, noisy, estimates = (np.load(tmp_path / f"{name}.npy") for name in ("images", "noisy", "estimates"))
        assert images.shape == (9, 1, 8, 8)
        assert noisy.shape == estimates.shape == (9, 2, 1, 8, 8)
        assert {images.dtype, noisy.dtype, estimates.dtype} == {np.dtype(np.float32)}
        tuning = sample_journeys(task, model, "tuning samples", untold(range(2)))
        for array, own, other in zip((images, noisy, estimates), drawn, tuning, strict=True):
            np.testing.assert_allclose(array[:3], own[:3], atol=1e-5)
            np.testing.assert_allclose(array[7:], other, atol=1e-5)
        assert not noisy[3:7].any()
        assert not estimates[3:7].any()
        table, data = read_table(tmp_path / "targets.parquet"), ImageData.load(digits)
        real = table[table["kind"] == "test"]
        assert real["target"].tolist() == [3, 4, 5, 6]
        assert real["row"].is_unique
        np.testing.assert_allclose(images[3:7], data.test_images[real["row"]] / 127.5 - 1, atol=1e-6)
        np.testing.assert_array_equal(real["label"], data.test_labels[real["row"]])
        known = real[["row", "label", "caption"]]
        expected = journey_table(task.prompts("samples", 3), known, task.prompts("tuning samples", 2), task.journey)
        pd.testing.assert_frame_equal(table, expected)
        assert read_json(tmp_path / "timesteps.json") == [4, 12]
        seen = seen_by(table, tmp_path)
        for pixels, entry in zip(seen, table.itertuples(), strict=True):
            whole = entry.timestep is pd.NA
            expected = images[entry.target] if whole else estimates[entry.target, {4: 0, 12: 1}[entry.timestep]]
            np.testing.assert_array_equal(pixels, expected)

    def test_more_images_of_one_kind_leave_the_others_as_they_were(self, task, model, tmp_path):
        draw_journeys(
            task, model, {"count": 1, "tuning": 1, "real": 2, "exchanged": 0, "captions": []}, tmp_path / "few"
        )
        draw_journeys(
            task, model, {"count": 2, "tuning": 2, "real": 3, "exchanged": 0, "captions": []}, tmp_path / "more"
        )
        few, more = (np.load(tmp_path / name / "images.npy") for name in ("few", "more"))
        np.testing.assert_allclose(more[[0, 2, 3, 5]], few, atol=1e-5)

    def test_more_real_images_than_there_are(self, task, model, tmp_path):
        with pytest.raises(UserError, match=r"targets\.real: found 13, allowed: at most 12, .* dataset\.test_size"):
            draw_journeys(task, model, {"count": 1, "tuning": 0, "real": 13, "exchanged": 0, "captions": []}, tmp_path)
        assert not list(tmp_path.iterdir())
