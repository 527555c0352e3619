import json
import os
import re
import threading
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trakway.runtime import progress


class Clock:
    """A clock that stands still unless told otherwise."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(progress.FOLDER, str(tmp_path / "progress"))
    monkeypatch.setattr(progress.sys, "argv", ["train.py", "--output", "out/3.json"])
    progress._loops.clear()
    return tmp_path / "progress"


def only_report(folder):
    (report,), _ = progress.read(folder)
    return report


def work(items, clock, seconds, **keywords):
    """Track ``items``, each taking ``seconds``; return what the loop has seen."""
    seen = []
    for item in progress.track(items, "members trained", clock=clock, **keywords):
        seen.append(item)
        clock.now += seconds
    return seen


def work_until_it_fails(clock, item):
    for i in progress.track(range(5), "members trained", clock=clock):
        clock.now += 1 / (i != item)


def test_items_pass_unchanged_and_lazily(folder, clock):
    drawn = []
    loop = progress.track((drawn.append(i) or i for i in range(3)), "members trained", total=3, clock=clock)
    assert isinstance(loop, types.GeneratorType)
    assert drawn == []
    assert not folder.exists()  # nothing has begun
    assert next(loop) == 0
    assert drawn == [0]
    assert list(loop) == [1, 2]


def test_an_item_counts_once_its_body_is_through(folder, clock):
    loop = progress.track(range(3), "members trained", clock=clock)
    counts = []
    for _ in loop:
        counts.append(only_report(folder)["done"])
        clock.now += 1
    assert counts == [0, 1, 2]
    assert only_report(folder)["done"] == 3


def test_report_names_the_work_and_its_process(folder, clock):
    work(range(4), clock, 2.0)
    assert only_report(folder) == {
        "what": "members trained",
        "done": 4,
        "resumed": 0,
        "total": 4,
        "pid": os.getpid(),
        "started": 1000.0,
        "updated": 1008.0,
        "arguments": ["--output", "out/3.json"],
    }


@pytest.mark.parametrize(("seconds", "writes"), [(0.001, 2), (0.125, 2 + 2), (0.5, 2 + 10), (3.0, 2 + 10)])
def test_files_are_written_twice_a_second_at_most(folder, clock, monkeypatch, seconds, writes):
    names = []
    monkeypatch.setattr(progress, "_write", lambda name, value: names.append(name))
    work(range(10), clock, seconds)
    assert len(names) == writes  # the first and the last are not limited
    assert len(set(names)) == 1


@pytest.mark.parametrize(("seconds", "lines"), [(0.01, 1), (1.0, 1 + 4), (5.0, 1 + 20), (60.0, 1 + 20)])
def test_lines_are_limited_too(folder, clock, capsys, seconds, lines):
    work(range(20), clock, seconds)
    assert len(capsys.readouterr().err.splitlines()) == lines


def test_lines_tell_pace_and_time_left(folder, clock, capsys):
    work(range(3), clock, 5.0)
    assert capsys.readouterr().err.splitlines() == [
        "members trained 1/3, 5.0 s each, 10 s left",
        "members trained 2/3, 5.0 s each, 5.0 s left",
        "members trained 3/3, 5.0 s each",
        "members trained 3/3, 5.0 s each",
    ]


def test_resumed_work_counts_but_does_not_quicken_the_pace(folder, clock, capsys):
    assert work(range(7, 10), clock, 5.0, done=7) == [7, 8, 9]
    assert capsys.readouterr().err.splitlines()[0] == "members trained 8/10, 5.0 s each, 10 s left"
    report = only_report(folder)
    assert (report["resumed"], report["done"], report["total"]) == (7, 10, 10)
    assert progress.seconds_each(report) == pytest.approx(5.0)


def test_nothing_left_to_do(folder, clock, capsys):
    assert work([], clock, 1.0, done=10) == []
    assert only_report(folder)["done"] == only_report(folder)["total"] == 10
    assert capsys.readouterr().err == "members trained 10/10\n"


def test_total_may_be_unknown(folder, clock, capsys):
    work(iter("abc"), clock, 5.0)
    assert only_report(folder)["total"] is None
    assert capsys.readouterr().err.splitlines()[0] == "members trained 1, 5.0 s each"


def test_a_failing_body_leaves_its_item_out(folder, clock, capsys):
    with pytest.raises(ZeroDivisionError):
        work_until_it_fails(clock, item=2)
    assert only_report(folder)["done"] == 2
    assert capsys.readouterr().err == ""  # no closing line


def test_a_job_tried_again_replaces_its_report(folder, clock):
    with pytest.raises(ZeroDivisionError):
        work_until_it_fails(clock, item=3)
    assert only_report(folder)["done"] == 3
    progress._loops.clear()  # as in a new process
    work(range(5), clock, 1.0)
    assert only_report(folder)["done"] == 5


def test_reports_of_jobs_and_of_loops_in_a_row_stand_side_by_side(folder, clock, monkeypatch):
    work(range(2), clock, 1.0)
    work(range(3), clock, 1.0)
    progress._loops.clear()
    monkeypatch.setattr(progress.sys, "argv", ["train.py", "--output", "out/4.json"])
    work(range(4), clock, 1.0)
    reports, totals = progress.read(folder)
    assert [report["total"] for report in reports] == [2, 3, 4]  # oldest first
    assert totals == {}


def test_without_a_folder_no_file_is_written(tmp_path, monkeypatch, clock):
    monkeypatch.delenv(progress.FOLDER, raising=False)
    monkeypatch.chdir(tmp_path)
    progress.announce({"members trained": 10})
    assert work(range(3), clock, 1.0) == [0, 1, 2]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_stops_nothing(tmp_path, monkeypatch, clock):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(progress.FOLDER, str(tmp_path / "file"))
    progress.announce({"members trained": 10})
    assert work(range(3), clock, 1.0) == [0, 1, 2]


def test_announced_totals_are_read_back(folder):
    assert progress.read(folder) == ([], {})
    progress.announce({"members trained": 10, "evaluation trained": 150})
    progress.announce({"members trained": 12})
    assert progress.read(folder) == ([], {"members trained": 12})


def test_broken_files_are_passed_over(folder, clock):
    work(range(2), clock, 1.0)
    (folder / "half.json").write_text('{"what": "mem')
    (folder / ".hidden.json.77").write_text("{}")
    assert only_report(folder)["done"] == 2


def test_readers_never_see_half_a_file(folder, clock):
    texts, stop = [], threading.Event()

    def watch():
        while not stop.is_set():
            texts.extend(path.read_text() for path in folder.glob("[!.]*.json"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    work(range(300), clock, 1.0)
    stop.set()
    watcher.join()
    counts = [json.loads(text)["done"] for text in texts]
    assert counts == sorted(counts)
    assert len(set(counts)) > 1
    assert [path.suffix for path in folder.iterdir()] == [".json"]  # no temporary file is left


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"), (4.2, "4.2 s"), (9.96, "10 s"), (29.4, "29 s"), (99.4, "99 s"), (100, "1.7 min"),
        (599, "10 min"), (12 * 60, "12 min"), (3 * 3600, "3.0 h"), (40 * 3600, "40 h"),
    ],
)  # fmt: skip
def test_duration(seconds, text):
    assert progress.duration(seconds) == text


@given(st.floats(1.0, 1e7))
def test_duration_is_right_to_two_figures(seconds):
    number, unit = re.fullmatch(r"([\d.]+) (s|min|h)", progress.duration(seconds)).groups()
    assert float(number) * {"s": 1, "min": 60, "h": 3600}[unit] == pytest.approx(seconds, rel=0.051)
