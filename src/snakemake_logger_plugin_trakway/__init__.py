"""Snakemake logger plugin of Trakway: a calm live display on a terminal, few plain lines elsewhere.

Snakemake finds the plugin by the name of this package; ``logger: trakway`` in a profile turns it on. Whatever is not
progress (errors, warnings, dry runs, lint) is printed as Snakemake words it.
"""

import os
import re
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from logging import ERROR, WARNING, LogRecord
from pathlib import Path
from statistics import fmean

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_trakway.run import Job, Run, pieces
from trakway.runtime.progress import FOLDER, duration, read, seconds_each

LOG_LINES = 20  # shown of a failed job's log
BARS = 4  # kinds of work shown at once, unless more are under way
FRAME_SECONDS, LINE_SECONDS, IDLE_SECONDS = 0.5, 10.0, 60.0  # between frames; between lines; between lines without news
SPOKEN = {None, LogEvent.ERROR, LogEvent.GROUP_ERROR, LogEvent.DEBUG_DAG}  # events printed as Snakemake words them
ROUTINE = re.compile(
    "None$|Assuming unrestricted shared|Building DAG|Using shell|Select jobs|Conda environments: ignored|"
    "Singularity containers: ignored|Group jobs: inactive|Shutting down|Exiting because a job execution failed|"
    "Complete log|Elapsed time|Touching output|Removing temporary output|Would remove temporary|"
    "Some jobs were triggered by provenance|Rules with provenance triggered jobs|"
    r"Job \d+ has been submitted with SLURM|Submitted array job|Cleaning up SLURM log files"
)
FAILED = re.compile("RuleException:\nCalledProcessError in file (.*?):\nCommand '.*' (?=returned|died)", re.DOTALL)


class LogHandler(LogHandlerBase):
    """Follows a run and displays it."""

    writes_to_stream, writes_to_file, needs_rulegraph = True, False, False
    has_filter, has_formatter = False, False  # Snakemake's own are what makes --quiet and the like work

    def __post_init__(self) -> None:
        """Choose the kind of display, and tell jobs through their environment where to report."""
        settings = self.common_settings
        stream = sys.stdout if settings.stdout else sys.stderr
        terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self.console = Console(file=stream, force_terminal=terminal, no_color=settings.nocolor or None, soft_wrap=True)
        self.live = Live(console=self.console, auto_refresh=False, transient=True) if terminal else None
        self.wordy = settings.verbose or settings.printshellcmds
        self.folder = Path(f".snakemake/trakway-progress/{os.getpid()}").absolute()
        shutil.rmtree(self.folder, ignore_errors=True)  # a process killed long ago may have had the same id
        os.environ[FOLDER] = str(self.folder)
        self.run: Run | None = None
        self.ended = threading.Event()
        self.said, self.said_at = "", 0.0

    def emit(self, record: LogRecord) -> None:
        """Take in one record; a mistake in here never stops the run."""
        try:
            self._take(record, getattr(record, "event", None))
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """End the display with a summary."""
        with self.lock:
            self._end()
        shutil.rmtree(self.folder, ignore_errors=True)
        super().close()

    def _take(self, record: LogRecord, event: LogEvent | None) -> None:
        if self.wordy and event in (LogEvent.JOB_INFO, LogEvent.SHELLCMD):
            self._say(self.format(record))
        # Without a plan (--quiet progress) failed jobs are Snakemake's to tell; after an interrupt they are no news.
        if event in SPOKEN or (event == LogEvent.JOB_ERROR and not self.run and not self.ended.is_set()):
            self._pass_on(record)
        elif event == LogEvent.RUN_INFO and not self.run:
            self._plan(record)
        elif self.run and not self.common_settings.dryrun:
            if event == LogEvent.JOB_INFO:
                label = " ".join([record.rule_name, *record.wildcards.values()])
                files = {*record.output, *record.log}
                self.run.begin(record.jobid, Job(record.rule_name, label, files, record.created))
            elif event == LogEvent.JOB_FINISHED:
                self._finish(record)
            elif event == LogEvent.JOB_ERROR:
                self._fail(record)
            elif event == LogEvent.PROGRESS:
                self.run.done, self.run.total = record.done, record.total

    def _pass_on(self, record: LogRecord) -> None:
        # _fail tells of the failed job; of its command, often long, only an unusual end is news (was it killed?).
        text, failed = FAILED.subn(r"\1: the command ", self.format(record))
        usual = ROUTINE.match(text) or failed and (text.endswith(" exit status 1.") or self.ended.is_set())
        if self.wordy or not usual:
            text = text.replace("(check individual jobs above for details)", "(-p lists the jobs)")
            self._say(text, "red" if record.levelno >= ERROR else "yellow" if record.levelno >= WARNING else "")
        if text.startswith("Terminating processes on user request"):
            self._end()  # or every job would tell that it was interrupted

    def _plan(self, record: LogRecord) -> None:
        self.run = Run({rule: count for rule, count in record.stats.items() if rule != "total"}, record.stats["total"])
        if self.common_settings.dryrun:
            self._say(self.format(record))
            return
        counts = ", ".join(f"{rule} {count}" for rule, count in self.run.planned.items())
        self.console.print(Text(f"Jobs: {counts}, total {self.run.total}"), soft_wrap=not self.live)
        if self.live:
            self.live.start()
        threading.Thread(target=self._refresh, daemon=True).start()

    def _end(self) -> None:
        self.ended.set()
        if self.live:
            self.live.stop()
        if self.run and not self.common_settings.dryrun:
            failed = f", failed: {', '.join(self.run.failed)}" if self.run.failed else ""
            style = "bold red" if failed else "bold green" if self.run.done == self.run.total else "bold"
            self._say(f"{self._clock()} {self.run.done} of {self.run.total} jobs done{failed}", style)
            self.run = None

    def _finish(self, record: LogRecord) -> None:
        job = self.run.running.get(record.job_id)
        rule = self.run.finish(record.job_id, record.created)
        if rule and job.files:  # not for mere targets
            spans, took = self.run.spans[rule], duration(record.created - self.run.first[rule])
            jobs = f"{len(spans)} jobs in {took}, {duration(fmean(spans))} each" if len(spans) > 1 else took
            self._say(f"{self._clock()} ✓ {rule}: {jobs}", "green")
        for note in notes(job.files) if job else ():
            self._say(f"  {note}", "yellow")

    def _fail(self, record: LogRecord) -> None:
        job = self.run.running.pop(record.jobid, None)
        label = job.label if job else record.rule_name
        self.run.failed.append(label)
        self._say(f"{self._clock()} ✗ {label} failed", "bold red")
        for log in record.log:
            path = Path(log)
            lines = path.read_text(errors="replace").splitlines() if path.exists() else []
            end = f", its last {LOG_LINES} lines" if len(lines) > LOG_LINES else "" if lines else ", empty"
            self._say("\n  │ ".join([f"  log: {log}{end}", *lines[-LOG_LINES:]]))
        if not record.log and record.shellcmd:
            self._say(f"  no log; its command: {record.shellcmd}")

    def _refresh(self) -> None:
        """Redraw until the end, from a thread of its own."""
        try:
            while not self.ended.wait(FRAME_SECONDS if self.live else LINE_SECONDS):
                reports, totals = read(self.folder)
                with self.lock:
                    if not self.ended.is_set():
                        draw = self._frame if self.live else self._line
                        draw(pieces(reports, totals), _left(self.run.seconds_left(reports, time.time())))
        except Exception as error:
            if self.live:
                self.live.stop()
            self._say(f"The progress display has stopped ({error!r}); the run goes on.", "yellow")

    def _line(self, work: list[dict], left: str) -> None:
        counts = [f"{self.run.done}/{self.run.total} jobs", *(f"{one['what']} {_count(one)}" for one in work)]
        news = f"{', '.join(counts)}; now {self._now()}"
        if news != self.said or time.monotonic() - self.said_at >= IDLE_SECONDS:
            self.said, self.said_at = news, time.monotonic()
            self._say(f"{self._clock()} {news}; {left}")

    def _frame(self, work: list[dict], left: str) -> None:
        jobs = {"done": self.run.done, "total": self.run.total}
        table = Table.grid(Column(no_wrap=True), Column(), Column(no_wrap=True), Column(no_wrap=True), padding=(0, 1))
        table.add_row("jobs", _bar(jobs), _count(jobs), f"{self._clock()}, {left}")
        # Work that is done makes room, the oldest first.
        finished = [one for one in work if one["total"] == one["done"]]
        hidden = [id(one) for one in finished[: max(0, len(work) - BARS)]]
        for one in (one for one in work if id(one) not in hidden):
            pace = f"{duration(each)} each" if (each := seconds_each(one)) else ""
            table.add_row(one["what"], _bar(one), _count(one), pace)
        now = Text(f"now  {self._now()}", style="dim", no_wrap=True, overflow="ellipsis")
        self.live.update(Group(table, now), refresh=True)

    def _now(self) -> str:
        jobs = list(self.run.running.values())
        counts = Counter(job.rule for job in jobs)
        names = {job.rule: job.label if counts[job.rule] == 1 else f"{job.rule} ×{counts[job.rule]}" for job in jobs}
        return ", ".join(names.values()) or "nothing"

    def _clock(self) -> str:
        return str(timedelta(seconds=int(time.time() - self.run.started)))

    def _say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text.rstrip(), style=style))


def notes(files: Iterable[str]) -> list[str]:
    """Return the lines ``note: ...`` in the logs among a job's files: what a person should know."""
    logs = [Path(file) for file in sorted(files) if file.endswith(".log")]
    lines = [line for log in logs if log.exists() for line in log.read_text(errors="replace").splitlines()]
    return [line for line in lines if line.startswith("note: ")]


def _left(seconds: float | None) -> str:
    return "– left" if seconds is None else "a few seconds left" if seconds < 10 else f"about {duration(seconds)} left"


def _count(work: dict) -> str:
    return str(work["done"]) if work["total"] is None else f"{work['done']}/{work['total']}"


def _bar(work: dict) -> ProgressBar:
    total = work["total"] or max(work["done"], 1)
    return ProgressBar(total, work["done"], width=30, complete_style="cyan", finished_style="green")
