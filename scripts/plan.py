"""Say before a run what it needs: disk, memory of its largest job, hours by stage; measures here for some seconds."""

import os
import shutil
import time
from pathlib import Path

from trakway.config import config_file, experiment_tiers, load_config, load_experiments
from trakway.errors import UserError
from trakway.plan.suggestions import did_you_mean
from trakway.runtime.command import Command
from trakway.runtime.progress import duration

REPOSITORY = Path(__file__).resolve().parents[1]


def main(arguments):
    config = load_config(config_file(REPOSITORY), {"tier": arguments.tier} if arguments.tier else None)
    folder = Path(config["folder"] or REPOSITORY / "config/experiments").expanduser()
    tiers = experiment_tiers(folder)
    for name in arguments.experiments:
        if name not in tiers:
            raise UserError(f"found {name}; allowed: {', '.join(tiers)}. {did_you_mean(name, tiers)}Choose one")
    os.environ["HF_HUB_OFFLINE"] = "1"  # weights that are not here are measured with others, not downloaded
    began = time.process_time()
    from trakway.forecast import forecast

    imports = time.process_time() - began

    for name in arguments.experiments or [name for name, own in tiers.items() if config["tier"] in own]:
        tier = config["tier"] if arguments.tier or config["tier"] in tiers[name] else tiers[name][0]
        settings = load_experiments(folder, tier, [name])[name]
        found = forecast(settings, arguments.device, imports)
        room = Path(config["results"], tier, name)
        print("\n".join(brief(name, tier, found, room) if arguments.brief else whole(name, tier, found, room)))


def brief(name: str, tier: str, found, folder: Path) -> list[str]:
    """Return the forecast in one line, or two where the disk is too small."""
    unit, largest = unit_of(found), max(found.peak_mb.values(), default=0.0)
    line = (
        f"{name} ({tier}) will take about {duration(sum(found.seconds.values()))} of {unit},"
        f" {size(sum(found.folders().values()))} of disk and {size(largest * 2**20)} of memory a job"
    )
    return [line, *shortage(found, folder)]


def whole(name: str, tier: str, found, folder: Path) -> list[str]:
    """Return the forecast by stage and by folder."""
    models = ", ".join(f"{count} {ensemble}" for ensemble, count in found.models.items() if count)
    lines = [
        f"{name} ({tier}): {found.counts.train} training examples, {found.parameters:,} parameters;"
        f" {sum(found.models.values())} models ({models}) see {found.samples:,} training samples",
        f"  {'stage':28}{'jobs':>6}{unit_of(found):>16}",
    ]
    lines += [f"  {stage:28}{jobs:6}{duration(took):>16}" for stage, (jobs, took) in found.stages().items()]
    jobs, seconds = len(found.seconds), sum(found.seconds.values())
    lines.append(f"  {'all':28}{jobs:6}{duration(seconds):>16}")
    parts = ", ".join(f"{folder} {size(of_it)}" for folder, of_it in list(found.folders().items())[:4])
    lines.append(f"  disk: {size(sum(found.folders().values()))} ({parts})")
    if found.peak_mb:
        what, most = max(found.peak_mb.items(), key=lambda item: item[1])
        of = "" if found.device == "cpu" else "of the GPU "
        lines.append(f"  memory {of}of the largest job: {size(most * 2**20)} ({what})")
    return lines + [f"  note: {note}" for note in found.notes] + [f"  {line}" for line in shortage(found, folder)]


def shortage(found, folder: Path) -> list[str]:
    """Return a warning where the disk has less room than what is not there yet will take."""
    there = next(parent for parent in [folder.absolute(), *folder.absolute().parents] if parent.exists())
    missing = sum(of_it for file, of_it in (found.files | found.about).items() if not (folder / file).exists())
    free = shutil.disk_usage(there).free
    return [f"note: {size(missing)} of disk are needed in {there}, and {size(free)} are free"] if missing > free else []


def unit_of(found) -> str:
    """Return what the seconds are of."""
    return "one CPU core" if found.device == "cpu" else "one GPU"


def size(number: float) -> str:
    """Return bytes with two figures or three."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 999.5 or unit == "TB":
            return f"{number:.3g} {unit}"
        number /= 1000


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument("experiments", nargs="*", metavar="NAME", help="experiments; none: all that have the tier")
    command.add_argument("--tier", help="another tier than that of config.yaml")
    command.add_argument("--brief", action="store_true", help="one line each")
    command.run(main)
