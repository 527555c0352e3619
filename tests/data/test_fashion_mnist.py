import gzip
import shutil
import sys
import types

import numpy as np
import pytest

from trakway.data.fashion_mnist import CLASSES, DEBIAN, PACKED, open_fashion_mnist, read_folder
from trakway.errors import UserError

DATASET = {"source": "auto", "path": None, "classes": ["coat", "shirt"], "train_size": 4, "test_size": 2}


def first_pixel(source):
    return source.train.examples.read(np.array([0]), None).ravel()[:8].tolist()


@pytest.fixture
def torchvision(monkeypatch):
    """Put a torchvision in place whose download does what the test says; count the calls."""
    module = types.ModuleType("torchvision.datasets")
    calls = []

    def use(download):
        def dataset(root, download_flag=None, **options):
            calls.append(root)
            download(root)

        module.FashionMNIST = dataset

    def offline(root):
        raise RuntimeError("Error downloading train-images-idx3-ubyte.gz")

    use(offline)
    module.use, module.calls = use, calls
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.datasets", module)
    return module


def test_auto_takes_the_first_place_that_holds_enough(places, torchvision, write_fashion):
    packed = write_fashion(places["packed"], [5] * 10, [2] * 10, seed=1)
    debian = write_fashion(places["debian"], [9] * 10, [2] * 10, seed=2)
    torchvision.use(lambda root: write_fashion(places["data"] / "FashionMNIST" / "raw", [20] * 10, [2] * 10, seed=3))

    def found(size):
        return first_pixel(open_fashion_mnist(DATASET | {"train_size": size}))

    assert found(10) == first_pixel(read_folder(packed))
    assert found(11) == first_pixel(read_folder(debian))
    assert found(18) == first_pixel(read_folder(debian))
    assert torchvision.calls == []
    assert found(19) == first_pixel(read_folder(places["data"] / "FashionMNIST" / "raw"))
    assert torchvision.calls == [str(places["data"])]
    found(19)
    assert len(torchvision.calls) == 1  # what was downloaded is not downloaded again


def test_all_means_the_complete_classes_unless_the_pack_is_asked_for(places, torchvision, write_fashion):
    write_fashion(places["packed"], [5] * 10, [2] * 10, seed=1)
    debian = write_fashion(places["debian"], [9] * 10, [2] * 10, seed=2)
    everything = DATASET | {"train_size": None}
    assert first_pixel(open_fashion_mnist(everything)) == first_pixel(read_folder(debian))
    assert first_pixel(open_fashion_mnist(everything | {"source": "packed"})) != first_pixel(read_folder(debian))


def test_complete_classes_of_the_real_pack_serve_as_all(places, monkeypatch):
    monkeypatch.setattr("trakway.data.fashion_mnist.PACKED", PACKED)
    source = open_fashion_mnist(DATASET | {"train_size": None, "test_size": None})
    assert np.bincount(source.train.labels)[[4, 6]].tolist() == [6000, 6000]
    assert np.bincount(source.test.labels)[[4, 6]].tolist() == [1000, 1000]


def test_every_place_tried_is_reported(places, torchvision, write_fashion):
    write_fashion(places["packed"], [5] * 10, [1] * 10)
    with pytest.raises(UserError) as caught:
        open_fashion_mnist(DATASET | {"train_size": 40})
    message = str(caught.value)
    assert "train_size: 40, test_size: 2, classes: coat, shirt" in message
    assert "tried the packed subset: coat has 5 train images, 20 are needed" in message
    assert f"tried {places['debian']}: there is no such folder" in message
    assert f"download into {places['data']}: failed (Error downloading train-images-idx3-ubyte.gz)" in message
    assert "What to do: ask for fewer images" in message


def test_a_path_is_the_only_place(places, torchvision, tmp_path, write_fashion):
    write_fashion(places["packed"], [9] * 10, [9] * 10)
    for source in ("auto", "folder"):
        with pytest.raises(UserError, match="nowhere: there is no such folder") as caught:
            open_fashion_mnist(DATASET | {"path": str(tmp_path / "nowhere"), "source": source})
        assert str(caught.value).count("tried") == 1
    with pytest.raises(UserError, match="cannot be given with source: packed"):
        open_fashion_mnist(DATASET | {"path": str(tmp_path), "source": "packed"})


@pytest.mark.parametrize("kind", ["packed", "folder"])
def test_a_named_source_is_the_only_place(places, torchvision, kind, write_fashion):
    write_fashion(places["debian" if kind == "packed" else "packed"], [9] * 10, [9] * 10)
    with pytest.raises(UserError) as caught:
        open_fashion_mnist(DATASET | {"source": kind})
    assert str(caught.value).count("tried") == 1


def test_a_missing_file_is_named(small):
    (small / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(UserError, match=r"neither t10k-labels-idx1-ubyte\.gz nor t10k-labels-idx1-ubyte is there"):
        open_fashion_mnist(DATASET | {"path": str(small)})


def test_a_truncated_file_ends_the_search(places, torchvision, write_fashion):
    write_fashion(places["debian"], [9] * 10, [9] * 10)
    file = write_fashion(places["packed"], [9] * 10, [9] * 10) / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"the packed subset: damaged\. .*train-images.*cut off") as caught:
        open_fashion_mnist(DATASET)
    assert "debian" not in str(caught.value)


def rewrite(file, change):
    file.write_bytes(gzip.compress(change(gzip.decompress(file.read_bytes()))))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("train-images-idx3-ubyte", lambda raw: b"\xff" + raw[1:], "not an IDX file"),
        ("train-images-idx3-ubyte", lambda raw: raw[:-1], "the header announces"),
        (
            "train-images-idx3-ubyte",
            lambda raw: raw[:11] + b"\x10" + raw[12:15] + b"\x31" + raw[16:],
            "allowed for fashion",
        ),
        (
            "train-labels-idx1-ubyte",
            lambda raw: raw[:7] + bytes([raw[7] - 1]) + raw[8:-1],
            r"\(119,\) labels for the 120",
        ),
        ("t10k-labels-idx1-ubyte", lambda raw: raw[:-1] + b"\x0a", "0 to 9"),
    ],
)
def test_files_that_cannot_be_right(small, name, change, message):
    rewrite(small / f"{name}.gz", change)
    with pytest.raises(UserError, match=message):
        open_fashion_mnist(DATASET | {"path": str(small)})


def test_files_of_ones_own_with_other_labels(small):
    """Letters, say: no place to fetch Fashion-MNIST from is any help."""
    rewrite(small / "train-labels-idx1-ubyte.gz", lambda raw: raw[:-1] + b"\x19")
    with pytest.raises(UserError) as error:
        open_fashion_mnist(DATASET | {"path": str(small)})
    words = (
        "train-labels-idx1-ubyte.gz: holds labels up to 25",
        "allowed for fashion_mnist: bytes of 0 to 9",
        "image_folder",
    )
    assert all(word in str(error.value) for word in words)
    assert "Debian" not in str(error.value)


def test_where_a_path_is_given_nothing_is_to_be_installed(tmp_path):
    with pytest.raises(
        UserError, match="What to do: ask for fewer images; or let dataset.path name a folder with train"
    ):
        open_fashion_mnist(DATASET | {"path": str(tmp_path)})


def test_row_ids_must_belong_to_the_images(small, tmp_path):
    shutil.copy(PACKED / "train-ids-idx1-int.gz", small)
    with pytest.raises(UserError, match=r"\(20000,\) ids for 120 images"):
        open_fashion_mnist(DATASET | {"path": str(small)})


def test_unpacked_files_do_as_well_and_ids_are_the_rows(small):
    before = read_folder(small)
    for file in list(small.iterdir()):
        file.with_suffix("").write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()
    after = open_fashion_mnist(DATASET | {"path": str(small)})
    np.testing.assert_array_equal(after.train.examples.array, before.train.examples.array)
    np.testing.assert_array_equal(after.train.ids, np.arange(120))


def test_a_download_that_was_cut_off_is_completed(places, torchvision, write_fashion):
    raw = write_fashion(places["data"] / "FashionMNIST" / "raw", [9] * 10, [9] * 10)
    file = raw / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-9])
    torchvision.use(lambda root: write_fashion(raw, [9] * 10, [9] * 10))
    open_fashion_mnist(DATASET | {"source": "download"})
    assert torchvision.calls == [str(places["data"])]


def test_download_goes_to_the_path(places, torchvision, tmp_path, write_fashion):
    torchvision.use(lambda root: write_fashion(tmp_path / "mine" / "FashionMNIST" / "raw", [9] * 10, [9] * 10))
    open_fashion_mnist(DATASET | {"source": "download", "path": str(tmp_path / "mine")})
    assert torchvision.calls == [str(tmp_path / "mine")]


def test_unknown_class_comes_before_any_search(places):
    with pytest.raises(UserError, match=r"unknown class 'boot'; did you mean .*\?.*ankle boot"):
        open_fashion_mnist(DATASET | {"classes": ["coat", "boot"]})


def test_pack_holds_ten_classes():
    source = read_folder(PACKED)
    assert source.classes == CLASSES
    assert np.bincount(source.train.labels).tolist() == [1000] * 4 + [6000, 1000, 6000, 1000, 1000, 1000]
    assert np.bincount(source.test.labels).tolist() == [200] * 4 + [1000, 200, 1000, 200, 200, 200]


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="the full set is not installed")
def test_packed_rows_are_rows_of_the_full_set():
    pack, full = read_folder(PACKED), read_folder(DEBIAN)
    for packed, whole, rows in ((pack.train, full.train, 60_000), (pack.test, full.test, 10_000)):
        assert len(whole.labels) == rows
        assert (np.diff(packed.ids) > 0).all()
        np.testing.assert_array_equal(packed.examples.array, whole.examples.array[packed.ids])
        np.testing.assert_array_equal(packed.labels, whole.labels[packed.ids])
