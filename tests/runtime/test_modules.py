"""Files are run by their path."""

import trakway.figures.timesteps
from trakway.plan.loading import PACKAGE, load


def test_a_file_of_the_library_is_the_module_itself():
    assert load(PACKAGE / "figures/timesteps.py") is trakway.figures.timesteps


def test_a_users_file_and_what_lies_beside_it(tmp_path):
    (tmp_path / "mine_beside.py").write_text("VALUE = 3\n")
    (tmp_path / "mine.py").write_text("from mine_beside import VALUE\n")
    assert load(tmp_path / "mine.py").VALUE == 3
