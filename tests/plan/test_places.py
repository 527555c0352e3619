"""Names of built-in things, and of things in a user's own files."""

import pytest

from trakway.config.names import name_faults
from trakway.errors import UserError
from trakway.plan.datasets import Dataset, dataset_of
from trakway.plan.loading import load
from trakway.plan.modalities import Modality, modalities, modality
from trakway.plan.options import completed, option_faults
from trakway.plan.places import builtin, located, place, shortest


@pytest.fixture
def write(tmp_path):
    def write(text, name="mine.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


def test_the_library_is_found_by_name():
    assert list(builtin("task")) == [
        "image_autoencoder",
        "image_classification",
        "image_diffusion",
        "latent_diffusion",
        "text_classification",
    ]
    assert list(builtin("model")) == [
        "autoencoder",
        "resnet18",
        "resnet50",
        "resnet9",
        "resnet_small",
        "transformer",
        "unet",
        "unet_text",
    ]
    pictures, texts = (
        {"cifar10", "digits", "fashion_mnist", "image_folder", "imagenet"},
        {"hub_texts", "movie_reviews", "text_files"},
    )
    captioned = {"captioned_folder", "coco_captions", "emoji", "fashion_captions"}
    assert set(builtin("dataset")) == pictures | texts | captioned
    assert place("dataset", "digits").name == "open_digits"
    for room in ("task", "model", "dataset"):
        for name in builtin(room):
            assert load(room, name).__name__ == place(room, name).name


def test_every_model_of_a_modality_is_there():
    assert {name for found in modalities().values() for name in found.models} == set(builtin("model"))


@pytest.mark.parametrize(
    ("room", "name", "said"),
    [
        ("model", "resnet8", "model.name: found 'resnet8'; allowed: one of autoencoder, resnet18, "),
        ("task", "images", "task: found 'images'; allowed: one of image_autoencoder, image_classification, "),
        ("dataset", "/nowhere/mine.py:open_it", "/nowhere/mine.py: cannot be read"),
    ],
)  # fmt: skip
def test_unknown_names(room, name, said):
    with pytest.raises(UserError, match=said):
        place(room, name)


def test_a_file_without_what_is_named(write):
    file = write("def biuld(shape, classes): pass\n\n\nclass build: pass\n")
    with pytest.raises(UserError, match="mine.py: found no function build; allowed: biuld. Did you mean"):
        place("model", f"{file}:build")
    with pytest.raises(UserError, match="line 1: not valid Python"):
        place("model", f"{write('def build(:', 'broken.py')}:build")


def test_files_are_kept_relative_to_the_working_directory_below_it(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert located("mine.py:build", tmp_path / "sub") == "sub/mine.py:build"
    assert located("../mine.py:build", tmp_path) == f"{tmp_path.parent}/mine.py:build"
    assert located("resnet9", tmp_path) == "resnet9"
    assert shortest("/elsewhere/x.py") == "/elsewhere/x.py"


def test_loading_runs_a_file_once_with_its_folder_at_hand(write, monkeypatch):
    import sys

    monkeypatch.setattr(sys, "path", list(sys.path))
    write("VALUE = object()\n", "beside_mine.py")
    file = write("from beside_mine import VALUE\n\n\ndef build(shape, classes):\n    return VALUE\n", "loaded_once.py")
    assert load("model", f"{file}:build") is load("model", f"{file}:build")
    assert load("model", f"{file}:build")(None, None) is sys.modules["beside_mine"].VALUE


def test_errors_of_a_file_name_its_line(write):
    file = write("import math\n\nmath.nothing()\n\n\ndef build(shape, classes): pass\n", "stops.py")
    with pytest.raises(UserError, match=r"stops.py, line 3: AttributeError: .*nothing"):
        load("model", f"{file}:build")


def test_a_helper_that_is_not_python_is_told_with_its_line(write):
    write("def half(:\n", "helper_of_mine.py")
    file = write("import helper_of_mine\n\n\ndef build(shape, classes): pass\n")
    settings = {
        "task": "image_classification",
        "model": {"name": f"{file}:build"},
        "dataset": {"name": "digits"},
        "autoencoder": None,
        "domain": None,
    }
    ((key, said),) = name_faults(settings)
    assert key == "model.name"
    assert "helper_of_mine.py, line 1: not valid Python" in said


class TestModality:
    def test_of_the_file(self, write):
        file = write('from x import Y\n\nMODALITY = Modality(traits=("border",))\n\n\nclass Mine(Y): pass\n')
        assert modality(f"{file}:Mine") == Modality(traits=("border",))

    @pytest.mark.parametrize(
        "text",
        [
            "from trakway.tasks.image_diffusion import ImageDiffusion\n\n\nclass Mine(ImageDiffusion): pass\n",
            "import trakway.tasks.image_diffusion as d\n\n\nclass Mine(d.ImageDiffusion): pass\n",
            "from trakway.tasks.image_diffusion import ImageDiffusion as D\nclass A(D): pass\nclass Mine(A): pass\n",
            "from further import Further\n\n\nclass Mine(Further): pass\n",
        ],
    )  # fmt: skip
    def test_inherited(self, write, text):
        write(
            "from trakway.tasks.image_diffusion import ImageDiffusion\n\n\nclass Further(ImageDiffusion): pass\n",
            "further.py",
        )
        assert modality(f"{write(text)}:Mine") == modalities()["image_diffusion"]

    def test_none(self, write):
        file = write("from trakway.tasks import Task\n\n\nclass Mine(Task): pass\n")
        with pytest.raises(UserError, match=r"mine.py, class Mine: found no MODALITY; allowed: .*image_classification"):
            modality(f"{file}:Mine")


class TestOptions:
    def test_defaults_and_null(self):
        assert completed("model", {"name": "resnet_small", "layers": None}) == {
            "name": "resnet_small",
            "widths": [16, 32, 64],
            "smooth": False,
        }

    def test_of_an_own_data_set(self, write):
        file = write("DATASET = Dataset(side=9)\n\n\ndef open_it(dataset, *, language='en', parts=()): pass\n", "d.py")
        section = {"name": f"{file}:open_it", "source": "auto", "language": "fr"}
        assert completed("dataset", section) == section | {"parts": []}
        assert dataset_of({"dataset": section}) == Dataset(side=9)
        found = list(option_faults("dataset", section | {"langauge": "fr", "parts": 3}, "dataset"))
        assert [key for key, *_ in found] == ["dataset.langauge", "dataset.parts"]
        assert found[0][1].endswith("open_it: language, parts")
        assert 'Did you mean "language"' in found[0][2]
        assert found[1][1] == "a list"
