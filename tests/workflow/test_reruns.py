"""What a change makes Snakemake do again after a finished run: what depends on it, and nothing else."""

import fnmatch
import os

import pytest

# Files that tell of the whole run: remade whenever anything is.
RECORD = {"tables/timing.csv", "provenance.json"}
LDS = {"tables/lds*.csv", "costs/lds.json", "tables/cost.csv", "costs/cost.json", "figures/lds.*", "figures/cost.*"}
REMOVAL = {f"tables/{name}.csv" for name in ("removal", "brittleness", "flip_ratios")}
REMOVAL |= {"costs/removal.json", "figures/removal.*"}
ABLATION = {"tables/ablation.csv", "costs/ablation.json", "figures/ablation.*"}
RETRAINED = {"subsets/removal.*", "train/removal/*", "outputs/removal/*", "costs/*/removal/*", "tables/models.csv"}
RETRAINED |= {"figures/training.*"}


def check(pending: set[str], *groups: set[str]) -> None:
    """Every file that is pending belongs to a group, and every pattern of the groups has a file."""
    patterns = set().union(*groups)
    stray = {file for file in pending if not any(fnmatch.fnmatch(file, pattern) for pattern in patterns)}
    assert not stray
    assert not {pattern for pattern in patterns if not fnmatch.filter(pending, pattern)}


def test_nothing(finished):
    assert finished.pending() == set()


def test_ridge(finished):
    """New scores, and what follows from them: removal is retrained, no other model is, no feature computed."""
    with finished.edited({"scores": {"ridge": [0.02, 0.2, 2]}}):
        pending = finished.pending()
    scores = {"scores/trak.*", "costs/scores/trak.json", "figures/examples.*"}
    check(pending, scores, LDS, REMOVAL, RETRAINED, ABLATION, RECORD)


@pytest.mark.parametrize("changes", [{"chunk": 7}, {"block": 100}, {"chunk": 64, "block": 33}], ids=str)
def test_sizes_that_change_no_result(finished, changes):
    with finished.edited({"execution": changes}):
        assert finished.pending() == set()


def test_device_changes_nothing(finished):
    path = finished.folder / "config/config.yaml"
    text = path.read_text()
    path.write_text(text.replace("device: auto", "device: cpu"))
    assert path.read_text() != text
    assert finished.pending() == set()
    path.write_text(text)


def test_resamples(finished):
    with finished.edited({"lds": {"resamples": 200}}):
        check(finished.pending(), LDS, REMOVAL, ABLATION, RECORD)


def test_epochs(finished, settings):
    """All models, and everything but the data, the subsets of chance and the scores that need no model."""
    with finished.edited({"training": {"epochs": settings["training"]["epochs"] + 1}}):
        pending = finished.pending()
    untouched = {"data/*", "subsets/[!r]*", "subsets/reference.npy", "targets/*", "scores/pixel.*", "scores/random.*"}
    assert not {pattern for pattern in untouched if fnmatch.filter(pending, pattern)}
    ensembles = ("members", "evaluation", "estimation", "reference", "removal")
    models = {f"{folder}/{ensemble}/*" for folder in ("train", "outputs") for ensemble in ensembles}
    models |= {"features/*", "scores/trak.npy"}
    assert not {pattern for pattern in models if not fnmatch.filter(pending, pattern)}


def test_display(finished):
    with finished.edited({"display": {"targets": 1}}):
        check(finished.pending(), {"figures/examples.*"}, {"provenance.json"})


@pytest.mark.parametrize(
    ("file", "figure"),
    [("lds_bars", "lds"), ("examples", "examples"), ("training", "training"), ("removal", "removal")],
)
def test_code_of_a_figure(finished, file, figure):
    with finished.appended(f"src/trakway/figures/{file}.py", "\nNEW = 1\n"):
        check(finished.pending(), {f"figures/{figure}.*"})


def test_code_of_one_method(finished):
    """Its own scores, and what is made of all scores."""
    with finished.appended("src/trakway/attribution/pixel.py", "\nNEW = 1\n"):
        pending = finished.pending()
    scores = {"scores/pixel.*", "costs/scores/pixel.json"}
    check(pending, scores, LDS, REMOVAL, RETRAINED, RECORD)


def test_code_of_training(finished):
    with finished.appended("src/trakway/training/loop.py", "\nNEW = 1\n"):
        pending = finished.pending()
    assert fnmatch.filter(pending, "train/members/*.json")
    assert fnmatch.filter(pending, "train/evaluation/*.json")
    assert not fnmatch.filter(pending, "data/*")


def test_time_stamps_alone(finished):
    """A clone, a checkout or an editor may touch any file: as long as it says the same nothing is done."""
    for path in (finished.folder / "src").rglob("*.py"):
        os.utime(path)
    assert finished.pending() == set()
