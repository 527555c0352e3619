# Around a run: one at a time in a folder, and targets that mean nothing are told with what was meant.
import contextlib

from trakway.runtime import alone


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
    """Let a run begin once no other one works in this folder; a dry run need not wait."""
    check_targets()
    alike = executor_plugin.common_settings.dryrun_exec or not workflow.execution_settings.lock
    with contextlib.nullcontext() if alike else alone.alone(Path(".snakemake").absolute()):
        yield


# Jobs that run Snakemake themselves (on a cluster) are part of a run, and none of their own.
if workflow.is_main_process:
    workflow.execute = alone.within(around, workflow.execute)
