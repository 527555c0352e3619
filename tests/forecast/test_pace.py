import pytest

from trakway.forecast import pace as module
from trakway.forecast.pace import pace


@pytest.fixture
def clock(monkeypatch):
    """A clock that work moves by hand."""
    now = [0.0]
    monkeypatch.setattr(module.time, "process_time", lambda: now[0])
    return now


def working(clock, fixed, each, done):
    def run(rows):
        done.append(rows)
        clock[0] += fixed + each * rows

    return run


def test_whole_where_that_is_quick(clock):
    done = []
    found = pace(working(clock, 0.02, 0.001, done), 50, "cpu")
    assert found(50) == pytest.approx(0.07)
    assert max(done) == 50


def test_the_time_of_more_rows_from_few(clock):
    done = []
    found = pace(working(clock, 0.1, 0.05, done), 1000, "cpu")
    assert found(1000) == pytest.approx(50.1)
    assert sum(done) < 100


def test_what_is_slow_is_done_once(clock):
    done = []
    found = pace(working(clock, 0.0, 30.0, done), 64, "cpu")
    assert (found(64), done) == (pytest.approx(64 * 30), [1])
