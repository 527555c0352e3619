import io
import json
import logging
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry
from snakemake_interface_logger_plugins.tests import MockOutputSettings, TestLogHandlerBase

import snakemake_logger_plugin_trakway as plugin
from snakemake_logger_plugin_trakway.run import Job, Run, pieces
from trakway.runtime.progress import FOLDER

SOURCES = Path(__file__).parents[1] / "src"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def show(monkeypatch, tmp_path):
    """Return a function that makes a handler and the stream it writes to; all threads are stopped in the end."""
    handlers = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(FOLDER, "")  # restored after the test

    def make(stream=None, **settings):
        monkeypatch.setattr(sys, "stderr", stream or io.StringIO())
        common = MockOutputSettings()
        vars(common).update(printshellcmds=False, **settings)
        handlers.append(plugin.LogHandler(common_settings=common, settings=None))
        return handlers[-1], sys.stderr

    yield make
    for handler in handlers:
        handler.close()


def tell(handler, event, created=None, level=logging.INFO, msg="", **fields):
    record = logging.LogRecord("snakemake", level, "", 0, msg, (), None)
    vars(record).update(fields, **({"event": event} if event else {}), **({"created": created} if created else {}))
    handler.handle(record)


def begin(handler, number, rule, created=None, **wildcards):
    files = {"output": [f"out/{number}.json"], "log": [f"logs/{number}.log"]}
    tell(handler, LogEvent.JOB_INFO, created, jobid=number, rule_name=rule, wildcards=wildcards, **files)


def finish(handler, number, done, total, created=None):
    tell(handler, LogEvent.JOB_FINISHED, created, job_id=number)
    tell(handler, LogEvent.PROGRESS, created, done=done, total=total)


def fail(handler, number, rule, log=(), shellcmd=None):
    tell(handler, LogEvent.JOB_ERROR, level=logging.ERROR, jobid=number, rule_name=rule, log=log, shellcmd=shellcmd)


def said(text):
    """Return the lines without the time of the run before them, which depends on how fast the machine is."""
    return re.sub(r"^\d:\d\d:\d\d ", "", text, flags=re.M).splitlines()


def report(what="members trained", done=0, total=None, resumed=0, started=0.0, updated=0.0, output="out/1.json"):
    times = {"started": started, "updated": updated}
    return {"what": what, "done": done, "resumed": resumed, "total": total, "arguments": ["--output", output], **times}


def put(name, value):
    folder = Path(os.environ[FOLDER])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(value))


class TestInterface(TestLogHandlerBase):
    """Snakemake's own tests of a logger plugin."""

    __test__ = True

    @pytest.fixture(autouse=True)
    def _quiet(self, show):
        self.show = show

    def get_log_handler_cls(self):
        return plugin.LogHandler

    def get_log_handler_settings(self):
        return None

    def _create_handler(self):
        return self.show()[0]


def test_snakemake_finds_the_plugin():
    assert LoggerPluginRegistry().get_plugin("trakway").log_handler is plugin.LogHandler


def test_a_rule_gets_one_line_once_all_its_jobs_are_done(show):
    handler, stream = show()
    tell(handler, LogEvent.RUN_INFO, stats={"data": 1, "train": 2, "total": 3})
    begin(handler, 1, "data", 100)
    finish(handler, 1, 1, 3, 104.2)
    begin(handler, 2, "train", 105, shard="0")
    begin(handler, 3, "train", 106, shard="1")
    finish(handler, 2, 2, 3, 115)
    assert "train:" not in stream.getvalue()
    finish(handler, 3, 3, 3, 126)
    handler.close()
    assert said(stream.getvalue()) == [
        "Jobs: data 1, train 2, total 3",
        "✓ data: 4.2 s",
        "✓ train: 2 jobs in 21 s, 15 s each",
        "3 of 3 jobs done",
    ]


def test_plain_lines_are_few(show, monkeypatch):
    monkeypatch.setattr(plugin, "LINE_SECONDS", 0.02)
    handler, stream = show()
    tell(handler, LogEvent.RUN_INFO, stats={"train": 4, "total": 4})
    begin(handler, 1, "train", shard="0")
    begin(handler, 2, "train", shard="1")
    put("a", report(done=3, total=5, updated=3.0))
    put("b", report(done=1, total=5, updated=1.0, output="out/2.json"))
    put("totals", {"members trained": 20})
    deadline = time.monotonic() + 60
    while "4/20" not in stream.getvalue() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)  # ten more times there is nothing new to tell
    lines = [line for line in said(stream.getvalue()) if "4/20" in line]
    assert len(lines) == 1
    assert re.fullmatch(r"0/4 jobs, members trained 4/20; now train ×2; .* left", lines[0])


def test_a_terminal_gets_frames(show):
    handler, stream = show(Terminal())
    handler.live.console.width = 100
    tell(handler, LogEvent.RUN_INFO, stats={"train": 4, "total": 4})
    begin(handler, 1, "train", shard="7")
    with handler.lock:
        handler._frame(pieces([report(done=3, total=10, updated=6.0)], {}), "about 2.5 min left")
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())
    assert re.search(r"jobs +━+ 0/4 +0:00:0\d, about 2.5 min left", text)
    assert re.search(r"members trained ━+[╸╺]━+ 3/10 2.0 s each", text)
    assert re.search(r"now  train 7\b", text)
    begin(handler, 2, "train", shard="8")
    begin(handler, 3, "scores", method="trak")
    assert handler._now() == "train ×2, scores trak"


def test_finished_work_makes_room(show):
    handler, stream = show(Terminal())
    handler.live.console.width = 100
    tell(handler, LogEvent.RUN_INFO, stats={"train": 4, "total": 4})
    shown = []
    for under_way in (2, 6):
        work = [report(f"work-{i}", done=9 if i >= under_way else 3, total=9) for i in range(8)]
        stream.truncate(0)
        with handler.lock:
            handler._frame(pieces(work, {}), "– left")
        shown.append(re.findall(r"work-(\d)", stream.getvalue()))
    assert shown == [["0", "1", "6", "7"], ["0", "1", "2", "3", "4", "5"]]  # what is under way, then what was done last


def test_a_failed_job_shows_the_end_of_its_log(show, tmp_path):
    handler, stream = show()
    tell(handler, LogEvent.RUN_INFO, stats={"train": 4, "total": 4})
    begin(handler, 1, "train", shard="7")
    (tmp_path / "7.log").write_text("\n".join([*(f"noise {i}" for i in range(50)), "x.yaml: k: found 0"]))
    fail(handler, 1, "train", log=["7.log", "missing.log"])
    handler.close()
    lines = said(stream.getvalue())[1:]
    assert lines[0] == "✗ train 7 failed"
    assert lines[1] == f"  log: 7.log, its last {plugin.LOG_LINES} lines"
    assert lines[2 : 2 + plugin.LOG_LINES] == [f"  │ noise {i}" for i in range(31, 50)] + ["  │ x.yaml: k: found 0"]
    assert lines[-2:] == ["  log: missing.log, empty", "0 of 4 jobs done, failed: train 7"]


def test_a_failed_job_without_log_shows_its_command(show):
    handler, stream = show()
    tell(handler, LogEvent.RUN_INFO, stats={"train": 4, "total": 4})
    fail(handler, 1, "train", shellcmd="python train.py")
    assert "python train.py" in stream.getvalue()


def test_a_failed_job_is_told_of_even_without_a_plan(show):
    handler, stream = show()  # as with --quiet progress
    tell(handler, LogEvent.JOB_ERROR, level=logging.ERROR, msg="Error in rule train", jobid=1, log=[])
    assert said(stream.getvalue()) == ["Error in rule train"]


def test_a_job_tried_again_is_no_failure(show):
    handler, stream = show()
    tell(handler, LogEvent.RUN_INFO, stats={"train": 1, "total": 1})
    begin(handler, 1, "train", shard="7")
    fail(handler, 1, "train")
    begin(handler, 1, "train", shard="7")
    finish(handler, 1, 1, 1)
    handler.close()
    assert said(stream.getvalue())[-1] == "1 of 1 jobs done"


@pytest.mark.parametrize(
    ("end", "shown"),
    [
        ("returned non-zero exit status 1.", None),
        ("returned non-zero exit status 137.", '"S", line 7: the command returned non-zero exit status 137.'),
        ("died with <Signals.SIGKILL: 9>.", '"S", line 7: the command died with <Signals.SIGKILL: 9>.'),
    ],
)
def test_of_a_failed_command_only_an_unusual_end_is_told(show, end, shown):
    handler, stream = show()
    tell(handler, LogEvent.RUN_INFO, stats={"train": 1, "total": 1})
    message = f'RuleException:\nCalledProcessError in file "S", line 7:\nCommand \'set -e;\n "long" command\' {end}'
    tell(handler, LogEvent.ERROR, level=logging.ERROR, msg=message)
    assert said(stream.getvalue())[1:] == ([shown] if shown else [])


@pytest.mark.parametrize(
    ("event", "level", "message", "shown"),
    [
        (LogEvent.ERROR, logging.ERROR, "MissingInputException in rule all:\n    zzz", True),
        (None, logging.WARNING, "Lints for rule all:\n    * No log directive defined", True),
        (None, logging.INFO, "Nothing to be done (all requested files are present and up to date).", True),
        (None, logging.INFO, "a message [of] a [later] version", True),
        (None, logging.INFO, "Select jobs to execute...", False),
        (None, logging.INFO, "None", False),
        (None, logging.INFO, "Job 7 has been submitted with SLURM jobid 123 (log: rule_train/123.log).", False),
        (None, logging.INFO, "SLURM run ID: 1f3c", True),
        (LogEvent.RESOURCES_INFO, logging.INFO, "Provided cores: 2", False),
        (LogEvent.SHELLCMD, logging.INFO, "Shell command: python", False),
    ],
)
def test_other_messages_are_printed_as_they_are_unless_routine(show, event, level, message, shown):
    handler, stream = show()
    tell(handler, event, level=level, msg=message)
    assert stream.getvalue() == (f"{message}\n" if shown else "")


def test_an_interrupt_ends_the_display_at_once(show):
    handler, stream = show()
    tell(handler, LogEvent.RUN_INFO, stats={"train": 2, "total": 2})
    begin(handler, 1, "train")
    tell(handler, None, level=logging.WARNING, msg="Terminating processes on user request, this might take some time.")
    fail(handler, 1, "train", shellcmd="python train.py")
    assert said(stream.getvalue())[-1] == "0 of 2 jobs done"


def test_a_dry_run_shows_the_jobs_once(show, monkeypatch):
    stdout = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stdout)
    handler, stderr = show(dryrun=True, stdout=True)
    for _ in range(2):  # Snakemake says it before and after the list of jobs
        tell(handler, LogEvent.RUN_INFO, msg="Job stats:\njob  count\n", stats={"train": 2, "total": 2})
        begin(handler, 1, "train")
    handler.close()
    assert stdout.getvalue() == "Job stats:\njob  count\n"
    assert stderr.getvalue() == ""


def test_a_mistake_in_the_plugin_stops_nothing(show, monkeypatch):
    handler, _ = show()
    handled = []
    monkeypatch.setattr(handler, "handleError", handled.append)
    tell(handler, LogEvent.RUN_INFO)  # without the numbers of jobs
    assert len(handled) == 1


def test_a_mistake_in_the_display_stops_only_the_display(show, monkeypatch):
    monkeypatch.setattr(plugin, "LINE_SECONDS", 0.01)
    handler, stream = show()
    put("a", {"no": "report"})
    tell(handler, LogEvent.RUN_INFO, stats={"train": 1, "total": 1})
    deadline = time.monotonic() + 60
    while "the run goes on" not in stream.getvalue() and time.monotonic() < deadline:
        time.sleep(0.01)
    begin(handler, 1, "train")
    finish(handler, 1, 1, 1)
    handler.close()
    assert "The progress display has stopped (KeyError('started')); the run goes on." in stream.getvalue()
    assert stream.getvalue().endswith("1 of 1 jobs done\n")


@given(
    jobs=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.booleans()), min_size=1),
    announced=st.none() | st.integers(0, 99),
)
def test_pieces_of_all_jobs_are_added_up(jobs, announced):
    reports = [report(done=done, total=done + left if known else None) for done, left, known in jobs]
    (one,) = pieces(reports, {} if announced is None else {"members trained": announced, "other": 5})
    done, known = sum(job[0] for job in jobs), [job[0] + job[1] for job in jobs if job[2]]
    assert one["done"] == done
    assert one["total"] == (max(announced, done) if announced is not None else sum(known) if known else None)


def running(run, number, rule, started):
    run.begin(number, Job(rule, rule, {f"out/{number}.json"}, started))


@given(st.integers(1, 8), st.integers(1, 20), st.integers(1, 20), st.floats(0.1, 1e4))
def test_equal_jobs_in_lanes_are_foretold_exactly(lanes, rounds, rounds_left, seconds):
    run = Run({"train": lanes * (rounds + rounds_left)}, lanes * (rounds + rounds_left))
    for turn in range(rounds):
        for lane in range(lanes):
            running(run, turn * lanes + lane, "train", turn * seconds)
        for lane in range(lanes):
            run.finish(turn * lanes + lane, (turn + 1) * seconds)
            run.done += 1
    assert run.seconds_left([], rounds * seconds) == pytest.approx(rounds_left * seconds)


def test_time_left_is_unknown_while_only_early_rules_are_known():
    run = Run({"data": 1, "train": 10, "report": 1}, 12)
    assert run.seconds_left([], 0.0) is None
    running(run, 0, "data", 0.0)
    run.finish(0, 1.0)
    run.done = 1
    running(run, 1, "train", 1.0)
    assert run.seconds_left([], 2.0) is None


def test_time_left_follows_the_pace_of_running_loops():
    run = Run({"train": 4}, 4)
    running(run, 1, "train", 0.0)
    running(run, 2, "train", 0.0)
    # Both loops started after 10 s and need 20 s a piece: the jobs take 10 + 10 * 20 and, resumed at 5, 10 + 5 * 20 s.
    reports = [
        report(done=3, total=10, started=10.0, updated=70.0),
        report(done=8, total=10, resumed=5, started=10.0, updated=70.0, output="out/2.json"),
        report(done=1, total=1000, started=10.0, updated=70.0, output="elsewhere"),
    ]
    waiting = 2 * (210 + 110) / 2
    assert run.seconds_left(reports, 70.0) == pytest.approx((140 + 40 + waiting) / 2)
    assert run.seconds_left(reports, 80.0) == pytest.approx((130 + 30 + waiting) / 2)


def test_of_nested_loops_the_outer_one_counts_and_finished_ones_do_not():
    job = Job("ablation", "ablation", {"out/1.json"}, 0.0)
    loops = [report("before", 5, 5), report("outer", 1, 9), report("inner", 2, 4)]
    assert job.report(loops)["what"] == "outer"
    assert job.report(loops[:1]) is None


def test_the_last_job_is_not_shared_among_lanes():
    run = Run({"train": 3}, 3)
    for number in (1, 2):
        running(run, number, "train", 0.0)
    for number in (1, 2):
        run.finish(number, 100.0)
    running(run, 3, "train", 100.0)
    run.done = 2
    assert run.lanes == 2
    assert run.seconds_left([], 130.0) == pytest.approx(70.0)
    assert run.seconds_left([], 900.0) == 0.0


SNAKEFILE = """
from trakway.runtime.progress import announce
onstart:
    announce({"members trained": 6})
rule all:
    input: "table.csv"
rule train:
    output: "{shard}.json"
    log: "{shard}.log"
    shell: "python work.py {output} > {log} 2>&1"
rule table:
    input: "0.json", "1.json"
    output: "table.csv"
    log: "table.log"
    params: command=config.get("table", "touch table.csv")
    shell: "({params.command}) > {log} 2>&1"
"""
SCRIPT = """
import sys, time
from trakway.runtime.progress import track
for _ in track(range(3), "members trained"):
    time.sleep(0.6)  # so that a frame falls between the first and the last, however fast the machine
open(sys.argv[1], "w").close()
"""


@pytest.fixture
def workflow(tmp_path, monkeypatch):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "work.py").write_text(SCRIPT)
    (tmp_path / "profile.yaml").write_text("logger: trakway\nscheduler: greedy\ncores: 2\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(SOURCES))
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.delenv(FOLDER, raising=False)
    return [sys.executable, "-m", "snakemake", "--workflow-profile", "profile.yaml"]


def test_end_to_end_without_a_terminal(workflow, tmp_path):
    run = subprocess.run([*workflow, "all"], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    lines = said(re.sub(r"\d+(\.\d)? s\b", "# s", run.stderr))
    lines = [line for line in lines if not re.match("[0-4]/4 jobs", line)]  # where the machine is slow
    assert lines[1:] == [  # the first one names the profile
        "Jobs: train 2, table 1, all 1, total 4",
        "✓ train: 2 jobs in # s, # s each",
        "✓ table: # s",
        "4 of 4 jobs done",
    ]
    assert list(tmp_path.glob(".snakemake/trakway-progress/*")) == []


def test_end_to_end_with_a_failing_job(workflow):
    command = [*workflow, "--config", "table=echo config.yaml: k: found 0; exit 1"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert run.returncode == 1
    lines = said(run.stderr)
    begin = lines.index("✗ table failed")
    assert lines[begin : begin + 3] == ["✗ table failed", "  log: table.log", "  │ config.yaml: k: found 0"]
    assert lines[-1] == "2 of 4 jobs done, failed: table"


def test_end_to_end_dry_run_and_bad_target(workflow):
    dry = subprocess.run([*workflow, "--dry-run", "all"], capture_output=True, text=True, timeout=300)
    assert dry.returncode == 0
    assert re.search(r"job +count\n.*\ntrain +2\ntable +1\nall +1\ntotal +4\n", dry.stdout)
    assert dry.stdout.count("train") == 2  # in the table and among the reasons
    bad = subprocess.run([*workflow, "nothing.csv"], capture_output=True, text=True, timeout=300)
    assert bad.returncode == 1
    assert "No rule to produce nothing.csv" in bad.stderr


def test_end_to_end_on_a_terminal(workflow, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*workflow, "all"], stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    output = b""
    try:
        while chunk := os.read(ours, 65536):
            output += chunk
    except OSError:  # the way Linux ends a pseudo terminal
        pass
    os.close(ours)
    assert process.wait(60) == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", output.decode())
    assert re.search(r"members trained ━\S+ +[1-6]/6 +\d\.\d s each", text)
    assert re.search(r"now  train ([01]|×2)\s", text)
    assert text.rstrip().endswith("4 of 4 jobs done")
    assert output.rfind(b"\x1b[?25h") > output.rfind(b"\x1b[?25l") >= 0  # the cursor is back
