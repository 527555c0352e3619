import copy
import dataclasses
import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import settings

from trakway.runtime.environment import use_one_thread

# Hypothesis' own profile for test runs: no deadlines, the same examples every time.
settings.load_profile("ci")

use_one_thread()  # as the workflow runs; before torch and NumPy start their pools


@pytest.fixture(scope="session")
def environment():
    """The environment of a process that imports the library, wherever it runs."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "src")}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """The folder of a prepared data set: 40 training and 20 test images of coats and shirts, 28x28."""
    from trakway.data import prepare

    folder = tmp_path_factory.mktemp("prepared")
    dataset = {"name": "fashion_mnist", "source": "packed", "classes": ["coat", "shirt"]}
    prepare(dataset | {"train_size": 40, "test_size": 20}, 0, folder)
    return folder


DIFFUSION = {
    "task": "image_diffusion",
    "seed": 0,
    "model": {"name": "unet", "widths": [8, 8], "layers": 1, "attention": [], "norm_groups": 4},
    "diffusion": {
        "timesteps": 20,
        "schedule": "squaredcos_cap_v2",
        "beta_start": 0.0001,
        "beta_end": 0.02,
        "prediction": "epsilon",
        "caption_dropout": 0.1,
        "guidance": 1.0,
        "sampling_steps": 10,
    },
    "journey": {
        "timesteps": [4, 12],
        "target_draws": 3,
        "train_draws": 4,
        "window": 6,
        "window_draws": 2,
        "patches": [{"name": "corner", "timestep": 12, "box": [0, 2, 3, 4]}],
    },
}


@pytest.fixture
def diffusion_settings():
    """The sections of a small diffusion experiment."""
    return copy.deepcopy(DIFFUSION)


@pytest.fixture(scope="session")
def digits(tmp_path_factory):
    """The folder of a prepared data set: 24 training and 12 test images of digits, 8x8."""
    from trakway.data import prepare

    folder = tmp_path_factory.mktemp("digits")
    prepare({"name": "digits", "train_size": 24, "test_size": 12}, 0, folder)
    return folder


@pytest.fixture(scope="session")
def explained(digits, tmp_path_factory):
    """The folder of targets: the entries of two samples, of test image 7, and of a sample for tuning; any pixels."""
    import numpy as np
    import pandas as pd

    from trakway.generation.journeys import journey_table
    from trakway.storage.files import write_array, write_json, write_table

    folder, journey = tmp_path_factory.mktemp("explained"), DIFFUSION["journey"]
    samples = pd.DataFrame({"caption": "", "label": -1}, index=range(3))
    real = pd.DataFrame({"row": [7], "label": [3], "caption": [""]})
    table = journey_table(samples[:2], real, samples[2:], journey)
    write_table(folder / "targets.parquet", table)
    rng = np.random.default_rng(0)
    for name, steps in (("images", ()), ("noisy", (2,)), ("estimates", (2,))):
        write_array(folder / f"{name}.npy", rng.uniform(-1, 1, (4, *steps, 1, 8, 8)).astype(np.float32))
    write_json(folder / "timesteps.json", journey["timesteps"])
    return folder


@pytest.fixture(scope="session")
def diffusion_task(digits, explained):
    """Build the task of a small diffusion experiment, or of one with changed settings."""

    def diffusion_task(function="output", **changes):
        from trakway.config import deep_merge
        from trakway.tasks import build_task

        settings = deep_merge(DIFFUSION, changes)
        return build_task(settings, digits, targets=explained / "targets.parquet", function=function)

    return diffusion_task


@pytest.fixture
def experiment():
    """The sections of an experiment that decide a small model."""
    return {
        "task": "image_classification",
        "seed": 0,
        "model": {"name": "resnet_small", "widths": [4, 8]},
        "training": {
            "optimizer": "sgd",
            "epochs": 4,
            "steps": None,
            "batch_size": 10,
            "learning_rate": 0.1,
            "momentum": 0.9,
            "weight_decay": 5e-4,
            "epsilon_root": 0.0,
            "warmup": 0.25,
            "augmentation": "crop_flip",
            "precision": "float32",
            "checkpoints": 2,
            "ema": None,
            "stored": "float32",
            "removal": "resample",
            "paired": False,
        },
    }


@pytest.fixture
def task(prepared, experiment):
    from trakway.tasks import build_task

    return build_task(experiment, prepared)


@pytest.fixture
def material():
    """Random material of 30 examples, 7 targets and 3 members, for every method; outputs that follow TRAK a little."""
    import numpy as np

    from trakway.attribution.material import Material
    from trakway.attribution.values import Documents, EstimationBank, Features, Pictures

    rng = np.random.default_rng(0)
    n, targets, members, subsets = 30, 7, 3, 40

    def normal(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    def entries():
        weights = rng.uniform(0.1, 1, (members, n)).astype(np.float32)
        return [Features(normal(n, 6), normal(targets, 6), weights[m]) for m in range(members)]

    return Material(
        seed=0,
        size=n,
        targets=targets,
        features=entries(),
        checkpoints=[entries(), entries()],
        representations=[(normal(n, 4), normal(targets, 4)) for _ in range(members)],
        examples=Pictures(normal(n, 1, 4, 4), *(normal(targets, 1, 4, 4) for _ in range(2))),
        texts=Documents(*(np.array([f"word{i % 4} {i}" for i in range(rows)], object) for rows in (n, targets))),
        labels=(rng.integers(0, 2, n), rng.integers(0, 2, targets)),
        estimation=EstimationBank(rng.random((subsets, n)) < 0.5, rng.standard_normal((subsets, targets))),
        norm=entries(),
        windows={step: [dataclasses.replace(entry, targets=None) for entry in entries()] for step in (100, 400)},
        captions=(normal(n, 5), normal(targets, 5)),
        metagradients={("full", 0): [normal(targets, n) for _ in range(members)]},
        # Drawn last: what others draw stays as it is.
        ekfac={damping: [normal(targets, n) for _ in range(members)] for damping in (0.1, 1.0)},
        ekfac_cg={damping: [normal(targets, n) for _ in range(members)] for damping in (0.1, 1.0)},
    )


@pytest.fixture(scope="session")
def chosen():
    """Return a method of the library as an experiment uses it."""

    def chosen(name, **options):
        from trakway.plan import methods_of

        items = [{"method": name, "options": options}]
        return methods_of({"task": "image_classification", "methods": items})[name]

    return chosen


WORDS = ["a", "good", "bad", "film", "great", "dull", "really", "not", "it", "was", "the", "plot", "of", "and"]


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory):
    """A folder with a BERT of 3 layers of width 8, and a tokeniser of a few words; its head is not there."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny_bert")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, "coat", "bag", "photo"]
    tokenizer = BertTokenizerFast(vocab={word: number for number, word in enumerate(vocabulary)}, model_max_length=16)
    tokenizer.save_pretrained(folder)
    sizes = {"hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 12}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = BertModel(
            BertConfig(vocab_size=len(vocabulary), max_position_embeddings=16, initializer_range=0.5, **sizes)
        )
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sentences(tmp_path_factory):
    """The folder of a prepared data set: 24 training and 8 test texts of 1 to 9 words."""
    import numpy as np
    import pandas as pd

    from trakway.data import prepare

    folder = tmp_path_factory.mktemp("sentences")
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, rng.integers(1, 10))) for _ in range(48)]
    pd.DataFrame({"text": texts, "label": ["praise", "blame"] * 24}).to_csv(folder / "texts.csv", index=False)
    dataset = {"name": "text_files", "path": str(folder / "texts.csv"), "train_size": 24, "test_size": 8}
    prepare(dataset, 0, folder / "data")
    return folder / "data"


@pytest.fixture(scope="session")
def captioned(tmp_path_factory):
    """The folder of a prepared data set: 16 training and 8 test pictures of coats and bags with captions, 16x16."""
    from trakway.data import prepare

    folder = tmp_path_factory.mktemp("captioned")
    dataset = {"name": "fashion_captions", "source": "packed", "classes": ["coat", "bag"], "image_size": 16}
    prepare(dataset | {"train_size": 16, "test_size": 8}, 0, folder)
    return folder


@pytest.fixture
def images(prepared):
    """Classification of pictures by a small smooth network."""
    from trakway.tasks.image_classification import ImageClassification

    model = {"name": "resnet_small", "widths": [4, 8], "smooth": True}
    return ImageClassification({"seed": 0, "task": "image_classification", "model": model}, prepared)


@pytest.fixture
def denoising(diffusion_task):
    """Diffusion of digits."""
    return diffusion_task()


@pytest.fixture
def texts(tiny_bert, sentences, tmp_path):
    """Classification of texts by the last layer of a tiny BERT."""
    from trakway.tasks.text_classification import TextClassification

    model = {
        "name": "transformer", "pretrained": str(tiny_bert), "trained_layers": 1, "max_length": 16, "dropout": 0.0
    }  # fmt: skip
    settings = {"seed": 0, "task": "text_classification", "model": model}
    shutil.copytree(sentences, tmp_path / "data")
    TextClassification.encode(settings, tmp_path / "data", "cpu")
    return TextClassification(settings, tmp_path / "data")


@pytest.fixture
def latents(captioned, tiny_bert, tmp_path, monkeypatch):
    """Latent diffusion from captions, without sampled targets: its outputs are of training examples."""
    import torch

    from trakway.models import build_model
    from trakway.tasks.latent_diffusion import LatentDiffusion

    model = {"name": "unet_text", "widths": [8, 8], "norm_groups": 4, "text_encoder": str(tiny_bert)}
    model |= {"max_length": 8, "text_width": 4}
    diffusion = {"timesteps": 20, "schedule": "scaled_linear", "beta_start": 0.001, "beta_end": 0.2}
    diffusion |= {"prediction": "v_prediction", "caption_dropout": 0.25, "guidance": 2.0, "sampling_steps": 10}
    journey = {"timesteps": [4, 12], "patches": [], "train_draws": 2, "target_draws": 2, "window": 6, "window_draws": 1}
    settings = {"task": "latent_diffusion", "seed": 0, "model": model, "diffusion": diffusion, "journey": journey}
    shutil.copytree(captioned, tmp_path / "data")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        autoencoder = build_model(
            {"name": "autoencoder", "widths": [4, 8], "latent_channels": 3, "norm_groups": 2}, (1, 16, 16), 0
        )
    LatentDiffusion.encode(settings, tmp_path / "data", "cpu", autoencoder)
    task = LatentDiffusion(settings, tmp_path / "data")
    monkeypatch.setattr(task, "target_batch", task.train_batch)
    return task


BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium, Debian's; what needs it is skipped where there is none."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser here to show pages: install Debian's chromium (looked for {', '.join(BROWSERS)})")
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here to drive a browser")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path)
        yield running
        running.close()


class ExplorerPage:
    """An explorer that was opened from its folder, without a server.

    Attributes:
        page: Playwright's.
        said: errors and warnings of the console, and whatever was asked for outside of the folder.
    """

    def __init__(self, browser, folder, **options):
        self.folder, self.said = Path(folder).resolve(), []
        self.page = browser.new_page(**({"viewport": {"width": 1280, "height": 900}} | options))
        self.page.set_default_timeout(10_000)
        self.page.on("console", lambda line: self.said.append(line.text) if line.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.said.append(request.url) if not self._ours(request.url) else None)
        self.page.on("requestfailed", lambda request: self.said.append(f"failed: {request.url}"))

    def _ours(self, url):
        return url.startswith((self.folder.as_uri(), "data:", "blob:", "about:"))

    def open(self, link=""):
        """Open a view by its link and wait until it is shown; what is open already stays and follows the link."""
        self.page.goto(f"{(self.folder / 'index.html').as_uri()}{link}")
        return self.wait()

    def wait(self, said=""):
        """Wait until the address says something, and what it asks for is shown."""
        # The page forbids what Playwright's own waiting for a function would do: evaluate text as a script.
        end = time.monotonic() + 60
        while time.monotonic() < end:
            asked, shown = self.page.evaluate("[location.hash, document.getElementById('main').dataset.shown]")
            if said in asked and asked == shown:
                return self
            time.sleep(0.02)
        raise AssertionError(f"the address says {asked}, shown is {shown}; it should say {said}. {self.said}")

    def gone(self, selector):
        """Wait until something is no longer there, and what the address asks for is shown."""
        self.page.locator(selector).wait_for(state="detached")
        return self.wait()

    def address(self):
        return self.page.evaluate("location.hash")

    def text(self, selector):
        return self.page.inner_text(selector)

    def texts(self, selector):
        return self.page.locator(selector).all_inner_texts()

    def saved(self, selector):
        """Press what saves a file, and return the file's text."""
        with self.page.expect_download() as download:
            self.page.click(selector)
        return Path(download.value.path()).read_bytes().decode()


@pytest.fixture
def explorer_page(browser):
    """Return pages of explorers; in the end none may have complained, or asked for anything outside of its folder."""
    pages = []

    def of(folder, **options):
        pages.append(ExplorerPage(browser, folder, **options))
        return pages[-1]

    yield of
    for one in pages:
        one.page.close()
        assert one.said == []
