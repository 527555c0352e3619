"""Every figure is drawn to files under errors for warnings: missing glyphs, labels that do not fit."""

import warnings

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from trakway.figures.saving import save


@pytest.fixture
def check(tmp_path):
    """Save a figure in both formats; no warning, nothing written outside its edges."""

    def run(figure):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert all(path.stat().st_size > 1000 for path in save(figure, tmp_path / "figure"))
        box = figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer())
        width, height = figure.get_size_inches()
        assert box.x0 > -0.02, "cut off at the left"
        assert box.y0 > -0.02, "cut off at the bottom"
        assert box.x1 < width + 0.02, "cut off at the right"
        assert box.y1 < height + 0.02, "cut off at the top"

    return run


@pytest.fixture
def same_bytes(tmp_path):
    """Draw a figure twice and save both: the files hold the same bytes."""

    def run(draw):
        first, second = (save(draw(), tmp_path / name) for name in ("first", "second"))
        assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]

    return run
