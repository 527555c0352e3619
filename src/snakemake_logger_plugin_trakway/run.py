"""What is known of a running workflow: which jobs wait, run and are done, and how long the rest may take."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from trakway.runtime.progress import seconds_each


@dataclass
class Job:
    """A job that runs now."""

    rule: str
    label: str
    files: set[str]
    started: float

    def report(self, reports: Sequence[Mapping]) -> Mapping | None:
        """Return the report of the outermost unfinished loop of this job, known by a file of it on the command line."""
        ours = (report for report in reports if self.files & set(report["arguments"]))
        return next((report for report in ours if report["done"] != report["total"]), None)


@dataclass
class Run:
    """The state of one run; all times are seconds as of ``time.time()``."""

    planned: dict[str, int]  # jobs of each rule, in the order of the workflow
    total: int
    done: int = 0
    started: float = field(default_factory=time.time)
    running: dict[int, Job] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)  # when the first job of each rule started
    spans: dict[str, list[float]] = field(default_factory=dict)  # seconds of the finished jobs of each rule
    failed: list[str] = field(default_factory=list)
    lanes: int = 1  # the most jobs seen running at once

    def begin(self, number: int, job: Job) -> None:
        """Take note that a job has started."""
        self.running[number] = job
        if job.label in self.failed:  # it is tried again
            self.failed.remove(job.label)
        self.first.setdefault(job.rule, job.started)
        self.lanes = max(self.lanes, len(self.running))

    def finish(self, number: int, now: float) -> str | None:
        """Take note that a job has finished; return its rule if that was the last job of the rule."""
        if not (job := self.running.pop(number, None)):
            return None
        spans = self.spans.setdefault(job.rule, [])
        spans.append(now - job.started)
        return job.rule if len(spans) == self.planned.get(job.rule) else None

    def seconds_left(self, reports: Sequence[Mapping], now: float) -> float | None:
        """Estimate the seconds until the last job is done, or None while too little is known.

        A job takes the mean over the jobs of its rule: finished ones as measured, running ones by the pace of their
        loops. A rule of which nothing is known takes the median over the other rules. The work left is shared among as
        many lanes as jobs were ever seen running at once. The answer is None while nothing is known of any unfinished
        rule and less than half of the jobs are done, because early jobs, such as preparing data, are short.
        """
        spans, rests = {rule: list(seconds) for rule, seconds in self.spans.items()}, {}
        for number, job in self.running.items():
            report = job.report(reports)
            if report and report["total"] is not None and (each := seconds_each(report)):
                rests[number] = max(0.0, each * (report["total"] - report["done"]) - (now - report["updated"]))
                spans.setdefault(job.rule, []).append(now - job.started + rests[number])
        typical = {rule: fmean(seconds) for rule, seconds in spans.items()}
        busy = Counter(job.rule for job in self.running.values())
        waiting = {rule: count - len(self.spans.get(rule, ())) - busy[rule] for rule, count in self.planned.items()}
        waiting = {rule: count for rule, count in waiting.items() if count > 0}
        if not typical or (not typical.keys() & (waiting.keys() | busy.keys()) and 2 * self.done < self.total):
            return None
        other = median(typical.values())
        for number, job in self.running.items():
            rests.setdefault(number, max(0.0, typical.get(job.rule, other) - (now - job.started)))
        work = sum(rests.values()) + sum(count * typical.get(rule, other) for rule, count in waiting.items())
        lanes = max(1, min(self.lanes, len(rests) + sum(waiting.values())))
        return max([work / lanes, *rests.values()])


def pieces(reports: Sequence[Mapping], totals: Mapping[str, int]) -> list[dict]:
    """Add up the reports of each kind of work, in order of first appearance; an announced total overrides theirs."""
    sums = {}
    for report in reports:
        empty = {"what": report["what"], "done": 0, "resumed": 0, "total": None, "started": 0.0, "updated": 0.0}
        one = sums.setdefault(report["what"], empty)
        one["done"] += report["done"]
        one["resumed"] += report["resumed"]
        one["updated"] += report["updated"] - report["started"]
        if report["total"] is not None:
            one["total"] = (one["total"] or 0) + report["total"]
    for what in sums.keys() & totals.keys():
        sums[what]["total"] = max(totals[what], sums[what]["done"])
    return list(sums.values())
