import numpy as np
import pandas as pd
import pytest
import torch

from trakway.generation import completions
from trakway.generation.completions import complete, completion_rows, draw_completions
from trakway.generation.domain import DomainClassifier
from trakway.generation.sampling import denoise, torch_generator
from trakway.storage.files import read_table
from trakway.tasks import build_task

ROWS = completion_rows("reference", [0, 1], None, 2, [4, 12], 1)


class Model:
    """Predicts noise pixel by pixel, and notes the steps that it is asked for."""

    def __init__(self, strength):
        self.strength, self.steps = strength, []

    def __call__(self, noisy, step, return_dict):
        self.steps.append(step)
        return (self.strength * torch.tanh(2 * noisy) * (1 + step / 20),)


@pytest.fixture(scope="module")
def task(diffusion_task):
    return diffusion_task()


@pytest.fixture(scope="module")
def noisy(explained):
    return np.load(explained / "noisy.npy", mmap_mode="r")


@pytest.fixture(scope="module")
def classifier(digits):
    settings = {"task": "image_classification", "seed": 0, "model": {"name": "resnet_small", "widths": [4, 8]}}
    task = build_task(settings, digits)
    return DomainClassifier(task, task.new_model(0).eval())


class TestComplete:
    def test_against_a_loop_over_completions(self, task, noisy):
        found = complete(task, Model(0.5), noisy[1, 1], 1, 12, 4, "retrained")
        assert (found.shape, found.dtype) == ((4, 1, 8, 8), torch.float32)
        scheduler = task.scheduler()
        scheduler.set_timesteps(10)
        for i in range(4):
            generator = torch_generator(0, "completion:retrained", 1, 12, i)
            x = torch.tensor(np.array(noisy[1, 1]))[None]
            *_, (_, image, _) = denoise(Model(0.5), scheduler, x, lambda step, g=generator: [g], 12)
            np.testing.assert_array_equal(found[i], image[0])
        assert len({image.numpy().tobytes() for image in found}) == 4

    @pytest.mark.parametrize(("step", "steps"), [(12, [12, 10, 8, 6, 4, 2, 0]), (4, [4, 2, 0])])
    def test_sampling_steps_from_the_timestep_down(self, task, noisy, step, steps):
        model = Model(0.5)
        complete(task, model, noisy[0, 0], 0, step, 2, "original")
        assert model.steps == steps

    def test_the_same_twice(self, task, noisy):
        one, two = (complete(task, Model(0.5), noisy[0, 0], 0, 4, 3, "original") for _ in range(2))
        np.testing.assert_array_equal(one, two)

    @pytest.mark.parametrize("count", [1, 2, 9])
    def test_a_completion_does_not_depend_on_their_number(self, task, noisy, count):
        five = complete(task, Model(0.5), noisy[0, 0], 0, 4, 5, "original")
        np.testing.assert_array_equal(
            complete(task, Model(0.5), noisy[0, 0], 0, 4, count, "original")[:5], five[:count]
        )

    def test_noise_belongs_to_seed_target_step_and_stream(self, diffusion_task, task, noisy):
        def first(stream="original", target=0, step=12, task=task):
            return complete(task, Model(0.0), noisy[0, 1], target, step, 1, stream)[0]

        others = [first("retrained"), first(target=1), first(step=4), first(task=diffusion_task(seed=1))]
        for other in others:
            assert np.abs(other - first()).max() > 0.1
        # Models differ by their weights alone: what they do not change comes out the same.
        np.testing.assert_array_equal(first(), complete(task, Model(0.0), noisy[0, 1], 0, 12, 1, "original")[0])
        assert np.abs(complete(task, Model(0.5), noisy[0, 1], 0, 12, 1, "original")[0] - first()).max() > 0.01


class TestRows:
    COLUMNS = ("ensemble", "model", "target", "timestep", "stream")

    def check(self, found, expected):
        pd.testing.assert_frame_equal(found, pd.DataFrame(expected, columns=list(self.COLUMNS)))

    def test_of_the_reference_ensemble(self):
        expected = [
            ("reference", 0, 0, 300, "original"),
            ("reference", 0, 0, 50, "original"),
            ("reference", 0, 0, 300, "retrained"),
            ("reference", 0, 0, 50, "retrained"),
            ("reference", 0, 1, 300, "original"),
            ("reference", 0, 1, 50, "original"),
            ("reference", 0, 1, 300, "retrained"),
            ("reference", 0, 1, 50, "retrained"),
        ]
        others = [("reference", 1, target, step, "retrained") for target in (0, 1) for step in (300, 50)]
        self.check(completion_rows("reference", [0, 1], None, 2, [300, 50], 3), expected + others)
        self.check(completion_rows("reference", [1], None, 2, [300, 50], 3), others)  # a later shard

    def test_of_removals_and_of_the_control(self):
        subsets = pd.DataFrame({"target": [1, 0, -1], "method": ["trak", "trak", "random"]})
        # Two seeds a subset: models 0 and 1 lack examples of target 1, 2 and 3 those of 0, 4 and 5 random ones.
        found = completion_rows("removal", [0, 1, 3, 4], subsets, 2, [300, 50], 2)
        targets = {0: [1], 1: [1], 3: [0], 4: [0, 1]}
        self.check(
            found,
            [
                ("removal", model, target, step, "retrained")
                for model in (0, 1, 3, 4)
                for target in targets[model]
                for step in (300, 50)
            ],
        )


class Killed(BaseException):
    pass


class TestDraw:
    @pytest.fixture
    def draw(self, task, classifier, noisy, tmp_path):
        """Draw six completions a row into a folder; returns the models that were loaded and the cost."""

        def draw(folder, fingerprint="any", rows=ROWS):
            loaded = []

            def load(index):
                loaded.append(index)
                return Model(0.1 * (index + 1))

            cost = draw_completions(task, classifier, load, rows, noisy, ["", ""], 6, fingerprint, tmp_path / folder)
            return loaded, cost

        return draw

    @pytest.fixture
    def contents(self, tmp_path):
        return lambda folder: {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()}

    def test_a_row_is_what_the_classifier_sees_of_its_completions(
        self, task, classifier, noisy, draw, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(completions, "PICTURED", 4)
        loaded, cost = draw("a")
        assert loaded == [0, 1]  # each once: one model in memory at a time
        assert cost["cpu_seconds"] > 0
        assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
            "features.npy",
            "index.parquet",
            "pictures.npy",
            "probabilities.npy",
        ]
        pd.testing.assert_frame_equal(read_table(tmp_path / "a" / "index.parquet"), ROWS)
        names = ("features", "probabilities", "pictures")
        features, probabilities, pictures = (np.load(tmp_path / "a" / f"{name}.npy") for name in names)
        assert (features.shape, probabilities.shape, pictures.shape) == ((12, 6, 8), (12, 6, 10), (12, 4, 1, 8, 8))
        assert pictures.dtype == np.uint8
        assert features.dtype == probabilities.dtype == np.float32
        for i, row in enumerate(ROWS.itertuples()):
            start = noisy[row.target, [4, 12].index(row.timestep)]
            images = complete(task, Model(0.1 * (row.model + 1)), start, row.target, row.timestep, 6, row.stream)
            for found, expected in zip((features[i], probabilities[i]), classifier(images), strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
            seen = np.round((np.clip(images.numpy(), -1, 1) + 1) * 127.5)
            assert np.abs(pictures[i] - seen[:4]).max() <= 1
            assert np.ptp(pictures[i]) > 50
        assert len({row.tobytes() for row in features}) == 12

    def test_fewer_completions_than_pictures(self, draw, tmp_path):
        """All of them are kept then."""
        draw("a")
        assert completions.PICTURED > 6
        assert np.load(tmp_path / "a/pictures.npy").shape[1] == 6

    @pytest.mark.parametrize("stops", [[0], [5], [8, 3], [11]])
    def test_resumed_the_files_are_the_same_to_the_byte(self, draw, contents, tmp_path, monkeypatch, stops):
        draw("whole")
        monkeypatch.setattr("trakway.storage.resumable.SAVE_SECONDS", -1.0)
        done = []

        def until(stop):
            done_before = len(done)

            def counted(*arguments):
                if len(done) - done_before == stop:
                    raise Killed
                done.append(arguments[3:])
                return complete(*arguments)

            return counted

        for stop in stops:
            monkeypatch.setattr(completions, "complete", until(stop))
            with pytest.raises(Killed):
                draw("cut")
            assert not {"features.npy", "probabilities.npy", "index.parquet"} & set(contents("cut"))
        monkeypatch.setattr(completions, "complete", until(None))
        loaded, _ = draw("cut")
        assert contents("cut") == contents("whole")
        assert len(done) == 12  # nothing is drawn twice
        assert loaded == ([1] if sum(stops) >= 8 else [0, 1])

    def test_completions_of_other_models_are_drawn_anew(self, draw, contents, monkeypatch):
        draw("whole", "new")
        monkeypatch.setattr("trakway.storage.resumable.SAVE_SECONDS", -1.0)
        monkeypatch.setattr(completions, "complete", self.wrong(7))
        with pytest.raises(Killed):
            draw("cut", "old")
        monkeypatch.setattr(completions, "complete", complete)
        draw("cut", "new")
        assert contents("cut") == contents("whole")

    def wrong(self, stop):
        """Draw other completions, and be killed at one of them."""
        calls = []

        def drawn(*arguments):
            calls.append(0)
            if len(calls) > stop:
                raise Killed
            return -complete(*arguments)

        return drawn
