"""What decides a result is what its program imports."""

from pathlib import Path

import pytest

from trakway.plan import code_files, definitions
from trakway.plan.code import PACKAGE
from trakway.plan.methods import FOLDER
from trakway.report import declared_figures

SCRIPTS = PACKAGE.parents[1] / "scripts"


def of_package(*programs):
    return {file.relative_to(PACKAGE).as_posix() for file in code_files(*programs) if file.is_relative_to(PACKAGE)}


def test_training_depends_on_the_trainer_and_on_one_modality():
    found = of_package(
        SCRIPTS / "train.py",
        *definitions({"seed": 0, "task": "image_classification", "model": {"name": "resnet_small"}}),
    )
    assert {"training/loop.py", "seeds.py", "tasks/base.py", "data/images.py", "models/resnet.py"} <= found
    assert not [name for name in found if name.startswith(("attribution", "figures", "validation", "gradients"))]
    assert not {"tasks/image_diffusion.py", "data/cifar10.py", "runtime/progress.py"} & found


def test_a_script_is_among_its_own_code():
    assert (SCRIPTS / "scores.py").resolve() in code_files(SCRIPTS / "scores.py")


def test_features_depend_on_kernels_of_the_gpu():
    assert {"projection/gpu/dense.cu", "projection/gpu/common.cuh"} <= of_package(SCRIPTS / "features.py")


@pytest.mark.parametrize(
    ("script", "module"),
    [
        ("scores", "metrics/lds.py"),
        ("scores", "seeds.py"),
        ("removal_subsets", "plan/removal.py"),
    ],
)
def test_modules_that_a_list_by_hand_forgot(script, module):
    assert module in of_package(SCRIPTS / f"{script}.py")


@pytest.mark.parametrize("table", ["lds", "removal", "shift", "emergence", "timestep_correlation"])
def test_tables_depend_on_what_draws_their_intervals(table):
    assert {"seeds.py", f"validation/{table}.py"} <= of_package(
        SCRIPTS / "table.py", PACKAGE / f"validation/{table}.py"
    )


@pytest.mark.parametrize("file", declared_figures(), ids=lambda file: file.stem)
def test_a_figure_depends_on_no_other(file):
    found = set(code_files(SCRIPTS / "figure.py", file))
    assert found & set(declared_figures()) == {file}
    assert {PACKAGE / "figures/style.py", (SCRIPTS / "figure.py").resolve()} <= found
    assert not [other for other in found if PACKAGE / "validation" in other.parents]


def test_files_beside_a_users_own(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import numpy\nimport helper\n\ndef build():\n    from inner import part\n"
        "    from trakway.tasks.base import Task\n"
    )
    (tmp_path / "helper.py").write_text("import missing_here\n")
    (tmp_path / "inner.py").write_text("part = 1\n")
    (tmp_path / "other.py").write_text("")
    found = code_files(tmp_path / "mine.py")
    assert {file.name for file in found if file.parent == tmp_path} == {"mine.py", "helper.py", "inner.py"}
    assert (PACKAGE / "tasks/base.py") in found


def test_a_name_passed_on_by_a_package_stands_for_its_module(tmp_path):
    (tmp_path / "reader.py").write_text("from trakway.data import ImageData\n")
    assert {"data/images.py"} == {name for name in of_package(tmp_path / "reader.py") if name.startswith("data/")}


def methods_in(found):
    return {name for name in found if name.startswith("attribution/methods/")} - {"attribution/methods/__init__.py"}


@pytest.mark.parametrize("script", ["scores", "cost", "ablation"])
def test_scores_depend_on_the_methods_that_are_run_and_no_other(script):
    script = SCRIPTS / f"{script}.py"
    assert methods_in(of_package(script)) == set()
    assert methods_in(of_package(script, FOLDER / "trak.py")) == {"attribution/methods/trak.py"}
    expected = {f"attribution/methods/{name}.py" for name in ("d_trak", "trak")}
    assert methods_in(of_package(script, FOLDER / "d_trak.py")) == expected
    found = of_package(script, FOLDER / "trak.py")
    assert {"attribution/scoring.py", "attribution/inputs.py", "attribution/reading.py", "metrics/lds.py"} <= found
    assert not [name for name in found if name.startswith(("training", "tasks", "models", "figures"))]


def test_a_method_of_ones_own_with_what_it_imports(tmp_path):
    (tmp_path / "mine.py").write_text("import beside\nfrom trakway.attribution.methods import pixel\n")
    (tmp_path / "beside.py").write_text("")
    found = code_files(SCRIPTS / "scores.py", tmp_path / "mine.py")
    assert {tmp_path / "mine.py", tmp_path / "beside.py"} <= set(found)
    assert methods_in(of_package(SCRIPTS / "scores.py", tmp_path / "mine.py")) == {"attribution/methods/pixel.py"}


def test_features_depend_on_no_attribution():
    for script in ("features", "preconditioner"):
        found = of_package(SCRIPTS / f"{script}.py", PACKAGE / "tasks/image_classification.py")
        assert "gradients/preconditioning.py" in found
        assert not [name for name in found if name.startswith(("attribution", "validation", "metrics", "figures"))]


def test_paths_are_whole():
    assert all(isinstance(file, Path) and file.is_absolute() for file in code_files(SCRIPTS / "scores.py"))
