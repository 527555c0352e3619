import numpy as np
import pytest

import trakway as tw
from trakway.storage.files import read_array


def test_a_folder_keeps_features_and_is_taken_over_where_all_is_the_same(task, members, build, data, tmp_path):
    first = tw.featurize(task, members, dim=8, folder=tmp_path)
    written = (tmp_path / "train.npy").stat().st_mtime_ns
    assert np.array_equal(read_array(tmp_path / "train.npy")[1], first.members[1].train)
    again = tw.task(build, train=data[0], targets=data[1], device="cpu")
    same = tw.load(again, [members[0].state_dict(), members[1].state_dict()])
    tw.featurize(again, same, dim=8, folder=tmp_path)
    assert (tmp_path / "train.npy").stat().st_mtime_ns == written
    tw.featurize(task, members, dim=7, folder=tmp_path)
    other = tw.featurize(task, tw.load(task, [members[1], members[0]]), dim=8, folder=tmp_path)
    assert not np.array_equal(other.members[0].train, first.members[0].train)


def test_features_last_as_long_as_their_set(task, members):
    found = tw.featurize(task, members, dim=8)
    path = found.workspace.path
    assert path.exists()
    del found
    assert not path.exists()


def test_batch_size_changes_no_score(task, members):
    first, second = (
        tw.score("trak", tw.featurize(task, members, dim=8, chunk=chunk), ridge=0.1, block=chunk) for chunk in (50, 5)
    )
    assert np.allclose(first, second, rtol=1e-3, atol=1e-5 * np.abs(first).max())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dims": 8}, 'found option .dims.. Did you mean "dim"'),
        ({"kind": "gauss"}, "projection.kind: found 'gauss'"),
        ({"dim": 0}, "projection.dim: found 0"),
        ({"kind": "identity", "dim": 8}, "found 8 with kind identity"),
        ({"checkpoint": 1}, "checkpoint: found 1, but 1 of each model are kept"),
    ],
)
def test_mistakes(task, members, options, message):
    with pytest.raises(tw.UserError, match=message):
        tw.featurize(task, members, **options)
