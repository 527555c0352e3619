"""Methods and scores of the user's own, from files outside of the repository, judged beside the library's."""

import json

import numpy as np
import pandas as pd
import pytest

METHOD = '''
"""Scores by how alike gradients are, of the first member alone."""
import numpy as np

import helper
from trakway.plan import Method

METHOD = Method(reads=("features",), label="Mine")


def score(material, out, *, power=1.0):
    first = material.features[0]
    helper.fill(out, first.targets @ first.train.T, power)
'''
TABLES = "results/smoke/fashion_resnet/tables"
HELPER = "import numpy as np\n\ndef fill(out, values, power):\n    out[:] = np.sign(values) * np.abs(values) ** power\n"


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    (folder / "mine.py").write_text(METHOD)
    (folder / "helper.py").write_text(HELPER)
    return folder


@pytest.fixture(scope="module")
def judged(finished, own):
    """The finished smoke run with two more methods; ``own`` holds their files."""
    trak = np.load(finished.results / "scores/trak.npy")
    np.save(own / "theirs.npy", -trak)
    methods = [
        "trak",
        {"name": "mine", "method": f"{own}/mine.py:score", "options": {"power": [0.5, 2.0]}},
        {"name": "theirs", "scores": f"{own}/theirs.npy", "cpu_seconds": 5400},
        "random",
    ]
    removal = {"methods": ["trak", "theirs"]}
    with finished.edited({"methods": methods, "removal": removal, "ablation": {}}):
        finished.done(*(f"{TABLES}/{name}.csv" for name in ("lds", "cost", "removal")))
        yield finished


def test_they_stand_beside_ours(judged):
    lds = pd.read_csv(judged.results / "tables/lds.csv").set_index("method")
    assert list(lds.index) == ["trak", "mine", "theirs", "random"]
    assert lds.loc["theirs", "lds"] == pytest.approx(-lds.loc["trak", "lds"])
    pairs = pd.read_csv(judged.results / "tables/lds_pairs.csv")
    assert {"mine", "theirs"} <= {*pairs["method"], *pairs["against"]}
    cost = pd.read_csv(judged.results / "tables/cost.csv").set_index("method")
    assert cost.loc["theirs", "cpu_seconds"] == 5400
    assert (cost.loc["mine", "cpu_seconds"] < cost.loc["trak", "cpu_seconds"].max()).any()
    removal = pd.read_csv(judged.results / "tables/removal.csv")
    assert set(removal["method"]) == {"trak", "theirs", "random"}


def test_options_are_chosen_on_tuning_targets(judged):
    record = json.loads((judged.results / "scores/mine.json").read_text())
    assert [tried["power"] for tried in record["tuning"]] == [0.5, 2.0]
    scores = np.load(judged.results / "scores/mine.npy")
    (folder,) = (judged.results / "features").glob("sjlt1-64/output/1/*")
    train, targets = (np.load(folder / f"{name}.npy")[0] for name in ("train", "targets"))
    values = (targets @ train.T)[: len(scores)]
    expected = np.sign(values) * np.abs(values) ** record["options"]["power"]
    # Rounding of float32 only: a product of fewer rows may be summed in another order.
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_their_files_are_compared_by_content(judged, own):
    def pending():
        return judged.pending(f"{TABLES}/lds.csv")

    assert pending() == set()
    helper = (own / "helper.py").read_text()
    (own / "helper.py").write_text(helper + "# edited\n")
    assert {"scores/mine.npy", "tables/lds.csv"} <= pending()
    assert "scores/theirs.npy" not in pending()
    (own / "helper.py").write_text(helper)
    np.save(own / "theirs.npy", np.load(own / "theirs.npy") * 2)
    assert {"scores/theirs.npy", "tables/lds.csv"} <= pending()


WRONG_INSIDE = {
    "turned": (np.zeros((120, 10)), "found float64 120 × 10; allowed: real numbers 10 × 120 or 18 × 120"),
    "missing": (METHOD.replace("import helper", "import nosuch"), "missing.py, line 5: ModuleNotFoundError"),
    "holed": (np.full((10, 120), np.nan), "holed.npy: the score of target entry 0 for training example 0 is nan"),
}


def test_what_is_wrong_inside_a_file_is_told_before_anything_trains(tree, own):
    methods = ["trak"]
    for name, (content, _) in WRONG_INSIDE.items():
        if isinstance(content, str):
            (own / f"{name}.py").write_text(content)
            methods.append(f"{own / name}.py:score")
        else:
            np.save(own / f"{name}.npy", content)
            methods.append({"name": name, "scores": f"{own / name}.npy"})
    with tree.edited({"methods": methods, "removal": {"methods": ["trak"]}}):
        jobs = tree.done("--dry-run", f"{TABLES}/lds.csv")
        result = tree.snakemake("--keep-going", "--until", "check_method", "--", f"{TABLES}/lds.csv")
    assert "train" in jobs
    assert result.returncode != 0
    for _, said in WRONG_INSIDE.values():
        assert said in result.stdout


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        (["mien.py:score"], "mien.py: cannot be read (No such file or directory)"),
        (["{own}/mine.py:scroe"], "mine.py: found no function scroe; allowed: score. Did you mean"),
        ([{"name": "a", "method": "{own}/mine.py:score", "options": {"pwoer": 1}}], 'Did you mean "power"?'),
        ([{"name": "a", "scores": "{own}/none.npy"}], "none.npy; allowed: an array"),
        (["trka"], 'Did you mean "trak"?'),
        (["{own}/helper.py:fill"], "found no line METHOD = Method(...)"),
    ],
)
def test_mistakes_are_told_before_anything_trains(tree, own, methods, said):
    methods = json.loads(json.dumps(methods).replace("{own}", str(own)))
    with tree.edited({"methods": methods, "removal": {"methods": ["random"], "full_grid": None}}):
        result = tree.snakemake("--dry-run", "fashion_resnet", "--config", "tier=smoke")
    assert result.returncode != 0
    assert said in result.stdout
