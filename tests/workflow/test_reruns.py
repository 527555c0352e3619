"""What a change makes Snakemake do again after a finished run: what depends on it, and nothing else."""

import fnmatch
import os

import pytest

# Files that tell of the whole run: remade whenever anything is.
RECORD = {"tables/timing.csv", "costs/timing.json", "provenance.json", "explorer"}
LDS = {"tables/lds*.csv", "costs/lds.json", "tables/cost.csv", "costs/cost.json", "figures/lds.*", "figures/cost.*"}
REMOVAL = {f"tables/{name}.csv" for name in ("removal*", "brittleness", "flip_ratios")}
REMOVAL |= {"costs/removal*.json", "figures/removal.*"}
ABLATION = {"tables/ablation.csv", "costs/ablation.json", "figures/ablation.*"}
RETRAINED = {"subsets/removal.*", "train/removal/*", "outputs/removal/*", "costs/*/removal/*", "tables/models.csv"}
RETRAINED |= {"costs/models.json", "figures/training.*"}


# The same of the diffusion experiment.
PER_STEP = {"tables/timestep_correlation.csv", "costs/timestep_correlation.json", "figures/timestep_correlation.*"}
FIXED = {f"{folder}/removal_fixed/*" for folder in ("train", "outputs", "costs/*")}
COMPLETED = {f"{folder}{name}.{end}" for name in ("shift*", "emergence") for folder, end in
             (("tables/", "csv"), ("costs/", "json"), ("figures/", "*"))}  # fmt: skip
DRAWN_ANEW = COMPLETED | {"completions/*"}
JOURNEY_LDS = {file.replace("figures/lds.", "figures/lds_timesteps.") for file in LDS}
JOURNEY_LDS |= {"costs/lds_fixed.json", "figures/lds_fixed.*"}


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


def test_epochs(finished):
    """All models, and everything but the data, the subsets of chance and the scores that need no model."""
    with finished.edited({"training": {"epochs": finished.settings["training"]["epochs"] + 1}}):
        pending = finished.pending()
    untouched = {"data/*", "subsets/[!r]*", "subsets/reference.npy", "targets/*", "scores/pixel.*", "scores/random.*"}
    assert not {pattern for pattern in untouched if fnmatch.filter(pending, pattern)}
    ensembles = ("members", "evaluation", "estimation", "reference", "removal")
    models = {f"{folder}/{ensemble}/*" for folder in ("train", "outputs") for ensemble in ensembles}
    models |= {"features/*", "scores/trak.npy"}
    assert not {pattern for pattern in models if not fnmatch.filter(pending, pattern)}


def test_more_targets_cost_targets_only(finished):
    """Their outputs, their features and what is made of these; no training gradient, and no model but of removals."""
    count = finished.settings["targets"]["count"]
    with finished.edited({"targets": {"count": count + 5}}):
        pending = finished.pending()
    for pattern in ("targets/targets.parquet", "features/*/targets.npy", "outputs/evaluation/*", "scores/trak.npy"):
        assert fnmatch.filter(pending, pattern), pattern
    assert not fnmatch.filter(pending, "features/*/train.npy")
    assert {file.split("/")[1] for file in fnmatch.filter(pending, "train/*")} <= {"removal"}


def test_display(finished):
    with finished.edited({"display": {"targets": 1}}):
        check(finished.pending(), {"figures/examples.*"}, {"provenance.json", "explorer"})


@pytest.mark.parametrize(
    ("file", "figure"),
    [("lds", "lds"), ("bars", "lds"), ("examples", "examples"), ("training", "training"), ("removal", "removal")],
)
def test_code_of_a_figure(finished, file, figure):
    with finished.appended(f"src/trakway/figures/{file}.py", "\nNEW = 1\n"):
        check(own(finished.pending()), {f"figures/{figure}.*"})


def own(pending: set[str]) -> set[str]:
    """Return the files of one experiment, where a change is one of all experiments."""
    return {file for file in pending if not file.startswith("results/")}


def test_code_of_one_method(finished):
    """Its own scores, and what is made of all scores."""
    with finished.appended("src/trakway/attribution/methods/pixel.py", "\nNEW = 1\n"):
        pending = finished.pending()
    scores = {"scores/pixel.*", "costs/scores/pixel.json"}
    check(own(pending), scores, LDS, REMOVAL, RETRAINED, RECORD)


def test_code_of_training(finished):
    with finished.appended("src/trakway/training/loop.py", "\nNEW = 1\n"):
        pending = finished.pending()
    for folder in ("", "results/smoke/digits_ddpm/"):
        assert fnmatch.filter(pending, f"{folder}train/members/*.json")
        assert fnmatch.filter(pending, f"{folder}train/evaluation/*.json")
        assert not fnmatch.filter(pending, f"{folder}data/*")


class TestDiffusion:
    @pytest.fixture
    def digits(self, finished):
        return finished.of("digits_ddpm")

    def test_another_journey_trains_nothing_but_removals(self, digits):
        """Other targets and all that looks at them; of the models only those of removal, which follow the scores."""
        journey = {"timesteps": [300, 700], "patches": []}
        with digits.edited({"journey": journey, "removal": {"timesteps": [300]}}):
            pending = digits.pending()
        assert {"targets/targets.parquet", "targets/noisy.npy", "scores/journey_trak.npy"} <= pending
        kind = "features/kronecker-50-0.1-sjlt1-32"
        assert fnmatch.filter(pending, f"{kind}/output/*/targets.npy")
        assert fnmatch.filter(pending, f"{kind}/window-700/*/train.npy")
        assert not fnmatch.filter(pending, f"{kind}/output/*/train.npy")
        assert not fnmatch.filter(pending, "preconditioners/*")
        assert fnmatch.filter(pending, "outputs/evaluation/*")
        assert {file.split("/")[1] for file in fnmatch.filter(pending, "train/*")} == {"removal", "removal_fixed"}
        untouched = {"data/*", "subsets/[!r]*", "subsets/reference.npy", "outputs/members/*", "outputs/domain/*"}
        assert not {pattern for pattern in untouched if fnmatch.filter(pending, pattern)}
        assert pending == own(pending)

    @pytest.mark.parametrize(
        ("changes", "subsets"),
        [
            ({"random": 3}, {"subsets/removal.*"} | FIXED),
            ({"seeds": 2}, set()),
            ({"fractions": [0.1, 0.2]}, {"subsets/removal.*"} | FIXED),
        ],
        ids=["random", "seeds", "fractions"],
    )
    def test_removal_computes_no_feature_and_no_score(self, digits, changes, subsets):
        with digits.edited({"removal": changes}):
            check(
                digits.pending(),
                REMOVAL - {"figures/removal.*"},
                RETRAINED - {"subsets/removal.*"},
                subsets,
                DRAWN_ANEW,
                {"costs/completions/*"},
                RECORD,
            )

    def test_another_number_of_completions_trains_nothing(self, digits):
        with digits.edited({"removal": {"completions": 9}}):
            pending = digits.pending()
        assert fnmatch.filter(pending, "completions/removal/*")
        assert not {pattern for pattern in ("train/*", "outputs/*", "features/*") if fnmatch.filter(pending, pattern)}

    def test_display_only_draws(self, digits):
        with digits.edited({"display": {"targets": 1}}):
            check(
                digits.pending(),
                {"figures/journeys.*", "figures/localisation.*", "figures/emergence.*"},
                {"provenance.json", "explorer"},
            )

    def test_ridge(self, digits):
        """All estimators, and what follows from them."""
        with digits.edited({"scores": {"ridge": [0.2, 2]}}):
            pending = digits.pending()
        names = ("trak", "journey_trak", "journey_window", "d_trak", "journey_d_trak")
        scores = {f"{folder}{name}.*" for name in names for folder in ("scores/", "costs/scores/")}
        figures = {f"figures/{name}.*" for name in ("journeys", "localisation", "animation")}
        removal = (REMOVAL - {"figures/removal.*"}) | RETRAINED | FIXED | COMPLETED | {"completions/removal*"}
        check(pending, scores, figures, JOURNEY_LDS, PER_STEP, removal, ABLATION, RECORD, {"costs/*/removal/*"})

    def test_code_of_the_estimator_of_one_method(self, digits):
        with digits.appended("src/trakway/attribution/methods/journey_d_trak.py", "\nNEW = 1\n"):
            pending = digits.pending()
        assert fnmatch.filter(pending, "scores/*.npy") == ["scores/journey_d_trak.npy"]
        assert pending == own(pending)

    def test_other_pictures_of_the_same_table(self, digits):
        """An interrupted run may have drawn other samples and left the table of targets as it was."""
        path = digits.results / "targets/estimates.npy"
        before, times = path.read_bytes(), path.stat()
        try:
            path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
            pending = digits.pending()
        finally:
            path.write_bytes(before)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        for pattern in (
            "features/*/output/*",
            "outputs/evaluation/*",
            "completions/*",
            "scores/*",
            "figures/journeys.*",
        ):
            assert fnmatch.filter(pending, pattern), pattern
        assert not fnmatch.filter(pending, "train/[!r]*")


def test_time_stamps_alone(finished):
    """A clone, a checkout or an editor may touch any file: as long as it says the same nothing is done."""
    for path in (finished.folder / "src").rglob("*.py"):
        os.utime(path)
    assert finished.pending() == set()
