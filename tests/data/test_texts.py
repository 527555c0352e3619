import hashlib
import json

import pandas as pd
import pytest

from trakway.data import prepare
from trakway.data.movie_reviews import PACKED, pack, read_pack
from trakway.data.texts import TextData, Texts
from trakway.errors import UserError


def write(path, rows):
    table = pd.DataFrame(rows)
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".jsonl":
        table.to_json(path, orient="records", lines=True, force_ascii=False)
    else:
        table.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return str(path)


ROWS = {
    "text": ['gut, "sehr" gut', "بد است", "很好", "line\nbreak", *(f"text {number}" for number in range(20))],
    "second": list("abcdefghijklmnopqrstuvwx"),
    "label": ["1", "0", "10"] * 8,
}


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl"])
def test_every_format_gives_the_same_texts(tmp_path, suffix):
    dataset = {"name": "text_files", "path": write(tmp_path / f"mine{suffix}", ROWS), "text_pair": "second"}
    prepare(dataset, 0, tmp_path / "out")
    found = TextData.load(tmp_path / "out")
    assert found.classes == ("0", "1", "10")  # numbers in their order
    everything = {*zip(ROWS["text"], ROWS["second"], ROWS["label"], strict=True)}
    seen = [
        (text, pair, found.classes[label])
        for split in ("train", "test")
        for text, pair, label in zip(found.texts[split], found.pairs[split], found.labels[split], strict=True)
    ]
    assert (set(seen), len(seen)) == (everything, 24)
    assert len(found.texts["test"]) == 6  # a quarter
    table = pd.read_parquet(tmp_path / "out/examples.parquet")
    first = table.iloc[0]
    assert first["sha256"] == hashlib.sha256(f"{first['text']}\0{first['text_pair']}".encode()).hexdigest()
    assert found.joined("test") == [f"{a} {b}" for a, b in zip(found.texts["test"], found.pairs["test"], strict=True)]
    assert json.loads((tmp_path / "out/meta.json").read_text())["source"] == "mine"


def test_a_file_of_test_examples(tmp_path):
    train, test = (write(tmp_path / f"{name}.csv", {k: v[part] for k, v in ROWS.items()}) for name, part in
                   (("train", slice(0, 21)), ("test", slice(21, 24))))  # fmt: skip
    prepare({"name": "text_files", "path": train, "test": test}, 0, tmp_path / "out")
    found = TextData.load(tmp_path / "out")
    assert sorted(found.texts["test"]) == ["text 17", "text 18", "text 19"]
    assert found.pairs is None


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"text": ["", " ", *ROWS["text"][2:]]}, {}, "mine.csv: found no text in row 2, 3; allowed: text in every row"),
        ({"label": ["1", "", *ROWS["label"][2:]]}, {}, "mine.csv: found no label in row 3"),
        (
            {"label": ["", "", *ROWS["label"][2:]]},
            {},
            "mine.csv: found no label in row 2, 3; allowed: one in",
        ),
        ({"label": [f"{i}.5" for i in range(24)]}, {}, "mine.csv: found 24 classes in the 24 rows of column 'label'"),
        ({"label": ["1"] * 24}, {}, "mine.csv: found one class only, 1; allowed: two at least"),
        (
            {},
            {"text": "txt"},
            "dataset.text: .*mine.csv has no column 'txt'; allowed: text, second, label; did you mean",
        ),
        ({}, {"label": "labels"}, "dataset.label: .* has no column 'labels'"),
        (
            {},
            {"path": "mine.txt"},
            r"dataset.path: found mine.txt; allowed: a file that ends in .csv, .tsv, .parquet, .jsonl",
        ),
        ({}, {"path": "none.csv"}, "dataset.path: there is no file none.csv"),
        ({}, {"path": None}, "dataset.path: text_files needs the file"),
        ({}, {"image_size": 8}, "dataset.image_size: found a number, and the examples are texts"),
        ({}, {"source": "download"}, "dataset.source: text_files has no 'download'"),
    ],
)
def test_mistakes_in_a_file(tmp_path, changes, options, message):
    path = write(tmp_path / "mine.csv", ROWS | changes)
    with pytest.raises(UserError, match=message):
        prepare({"name": "text_files", "path": path} | options, 0, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "mine.csv",
            "text,label\ngut,1\nschön,0\n".encode("latin1"),
            r"mine.csv, line 3: byte 4 \(0xf6\) is not UTF-8",
        ),
        ("mine.jsonl", '{"text": "schön"}\n'.encode("latin1"), "mine.jsonl, line 1: byte .* is not UTF-8"),
        ("mine.jsonl", b'{"text": "a", "label": 1}\n{"text": \n', "mine.jsonl, line 2: found no JSON"),
        ("mine.jsonl", b'["a", 1]\n', "mine.jsonl, line 1: found a list; allowed: an object a line"),
        ("mine.jsonl", b'{"text": "a", "label": 1}\n{"text": "b"}\n', "found no label in row 2"),
        ("mine.parquet", b"PAR1", "mine.parquet: cannot be read as parquet"),
        ("mine.csv", b'text,label\n"a,1\n', "mine.csv: cannot be read as csv"),
        ("mine.csv", b"id,text,label\n1,a film, it was,0\n", r"rows with more fields than the heading; .* in quotes"),
        ("mine.csv", b"text,label,text\na,1,b\n", "mine.csv: found the column 'text' twice"),
        ("mine.csv", b"text,label\n", "mine.csv: found no row; allowed: an example a row"),
    ],
)
def test_files_that_are_not_what_they_say(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message):
        prepare({"name": "text_files", "path": str(tmp_path / name)}, 0, tmp_path / "out")


def test_a_source_of_ones_own(tmp_path):
    (tmp_path / "own.py").write_text(
        "import numpy as np\n"
        "from trakway.data.source import Source, Split\nfrom trakway.data.texts import Texts\n"
        "def open_own(dataset):\n"
        "    split = Split(Texts(['a', 'b', 'c']), np.array([0, 1, 0]), np.arange(3))\n"
        "    return Source('own', 'mine', ('x', 'y'), split, split)\n"
    )
    prepare({"name": f"{tmp_path}/own.py:open_own"}, 0, tmp_path / "out")
    assert sorted(TextData.load(tmp_path / "out").texts["train"]) == ["a", "b", "c"]


def test_texts_that_are_none():
    with pytest.raises(
        UserError, match="the data: found no text in row 2; allowed: text in every row; fill or remove it"
    ):
        Texts(["a", None])
    with pytest.raises(UserError, match="found no text_pair in row 1"):
        Texts(["a"], [" "])


def test_images_are_no_texts(prepared):
    with pytest.raises(UserError, match="not a whole data set of texts"):
        TextData.load(prepared)


def test_movie_reviews(tmp_path):
    prepare({"name": "movie_reviews"}, 0, tmp_path / "out")
    found, table = TextData.load(tmp_path / "out"), read_pack(PACKED)
    assert len(table) == 10_605
    clear = table[table["score"].abs() >= 0.5]
    assert len(clear) == len(found.texts["train"]) + len(found.texts["test"]) == 10_072
    examples = pd.read_parquet(tmp_path / "out/examples.parquet")
    assert set(examples["id"]) == set(clear["id"])
    known = clear.set_index("id")
    assert (known.loc[examples["id"], "text"].to_numpy() == examples["text"].to_numpy()).all()
    assert ((known.loc[examples["id"], "score"].to_numpy() > 0) == (examples["label_name"] == "positive")).all()
    # Whatever the seed, the same are for testing.
    prepare({"name": "movie_reviews", "test_size": 50}, 1, tmp_path / "other")
    other = pd.read_parquet(tmp_path / "other/examples.parquet")
    assert set(other.loc[other["split"] == "test", "id"]) <= set(examples.loc[examples["split"] == "test", "id"])


def test_packing_gives_the_pack(tmp_path):
    table = read_pack(PACKED)
    lines = [f"{id}\t{score!r}\t{text}\r\n" for id, score, text in table.itertuples(index=False)]
    (tmp_path / "source.txt").write_bytes("".join(lines).encode())
    pack(tmp_path / "source.txt", tmp_path / "pack")
    pd.testing.assert_frame_equal(read_pack(tmp_path / "pack"), table)
    (tmp_path / "source.txt").write_text("1\t0.5\n")
    with pytest.raises(UserError, match="line 1: found 2 columns; allowed: id, score, text"):
        pack(tmp_path / "source.txt", tmp_path / "pack")


def test_a_damaged_pack(tmp_path):
    for file in PACKED.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "snippets.csv.gz").write_bytes(b"x")
    with pytest.raises(UserError, match="SHA-256 differs"):
        read_pack(tmp_path)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A data set of the package `datasets`, as a folder of files; without the package it is skipped."""
    pytest.importorskip("datasets", reason="needs the extra `full`")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "hub"
    folder.mkdir()
    for name, part in (("train", slice(0, 21)), ("validation", slice(21, 24))):
        rows = {key: values[part] for key, values in ROWS.items()} | {"label": [int(v) for v in ROWS["label"][part]]}
        pd.DataFrame(rows).to_parquet(folder / f"{name}.parquet")
    return folder


def test_data_sets_of_the_hub(hub, tmp_path):
    dataset = {"name": "hub_texts", "repository": str(hub), "text_pair": "second", "path": str(tmp_path / "cache")}
    prepare(dataset, 0, tmp_path / "out")
    found = TextData.load(tmp_path / "out")
    assert found.classes == ("0", "1", "10")
    assert sorted(found.texts["test"]) == ["text 17", "text 18", "text 19"]
    where = found.texts["train"].index("很好")
    assert (found.pairs["train"][where], found.classes[found.labels["train"][where]]) == ("c", "10")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": "txt"}, "dataset.text: .* has no column 'txt'; allowed: text, second, label; did you mean 'text'"),
        ({"test_split": "valid"}, "has no split 'valid'; allowed: train, validation"),
        ({"repository": "/nowhere"}, "dataset.repository: /nowhere cannot be opened"),
    ],
)
def test_mistakes_about_the_hub(hub, tmp_path, options, message):
    dataset = {"name": "hub_texts", "repository": str(hub), "path": str(tmp_path / "cache")} | options
    with pytest.raises(UserError, match=message):
        prepare(dataset, 0, tmp_path / "out")


def test_copies_are_told(tmp_path, capsys):
    train = write(tmp_path / "train.csv", {"text": ["a", "b", "a", "c"], "label": ["x", "y", "x", "y"]})
    test = write(tmp_path / "test.csv", {"text": ["b", "d"], "label": ["y", "x"]})
    prepare({"name": "text_files", "path": train, "test": test}, 0, tmp_path / "out")
    said = capsys.readouterr().out
    assert "note: 1 training examples are copies of others" in said
    assert "note: 1 test examples are training examples too" in said
