# Around a run: one at a time in a folder, and targets that mean nothing are told with what was meant.
import contextlib

from trakway.runtime import alone
from trakway.runtime.warm import warm


def check_targets():
    """Tell targets that are neither rules nor files of an experiment.

    Raises:
        WorkflowError: names the nearest one.
    """
    names = [rule.name for rule in workflow.rules if not rule.has_wildcards()]
    shown = ["all", "smoke", "leaderboard", *TIERS]
    for target in workflow.dag_settings.targets:
        parts = Path(target).parts[len(Path(RESULTS).parts) :] if Path(target).is_relative_to(RESULTS) else ()
        if target not in names and "/" not in target and not Path(target).exists():
            told("target", target, f"{', '.join(shown)} and what else --list-target-rules lists", names)
        for part, known in zip(parts[:2] if parts[:1] != ("published",) else (), (SETTINGS, TIERS)):
            if part not in known:
                told(target, part, ", ".join(known), known)


def told(where, found, allowed, known):
    raise WorkflowError(f"{where}: found {found}; allowed: {allowed}. {did_you_mean(found, known)}Correct it.")


@contextlib.contextmanager
def around(executor_plugin, **others):
    """Let a run begin once no other one works in this folder; a dry run need not wait. Its jobs here are forked."""
    check_targets()
    kind = executor_plugin.common_settings
    elsewhere = kind.non_local_exec or workflow.deployment_settings.deployment_method or DEVICE != "cpu"
    with contextlib.ExitStack() as stack:
        if not kind.dryrun_exec and workflow.execution_settings.lock:
            stack.enter_context(alone.alone(Path(".snakemake").absolute()))
        if not (kind.dryrun_exec or kind.touch_exec or elsewhere):
            stack.enter_context(warm())
        yield


# Jobs that run Snakemake themselves (on a cluster) are part of a run, and none of their own.
if workflow.is_main_process:
    workflow.execute = alone.within(around, workflow.execute)
