"""List files of earlier settings, which no experiment asks for any more; with --remove they go."""

from pathlib import Path

from trakway.config import config_file, experiment_tiers, load_config, load_experiments
from trakway.runtime.alone import alone
from trakway.runtime.command import Command

REPOSITORY = Path(__file__).resolve().parents[1]


def main(arguments):
    from trakway.report.stale import stale

    config = load_config(config_file(REPOSITORY))
    folder = Path(config["folder"] or REPOSITORY / "config/experiments").expanduser()
    found, brought, bytes_of = [], [], 0
    with alone(Path(".snakemake").absolute()):  # never beside a run
        for name, tiers in experiment_tiers(folder).items():
            for tier in tiers:
                settings = load_experiments(folder, tier, [name])[name]
                brought += settings["members"]["checkpoints"] or []
                results = Path(config["results"], tier, name)
                found += stale(settings, results) if results.is_dir() else []
        # Models of one experiment may be another's own checkpoints.
        own = [Path(path).expanduser().absolute() for path in brought]
        found = [file for file in found if not any(file.absolute().is_relative_to(path) for path in own)]
        for file in found:
            bytes_of += file.lstat().st_size
            print(file)
            if arguments.remove:
                file.unlink()
                for parent in file.parents:
                    if parent == Path(config["results"]) or any(parent.iterdir()):
                        break
                    parent.rmdir()
    advice = "removed" if arguments.remove else "make clean-stale ARGS=--remove removes them"
    print(f"{len(found)} files of earlier settings, {bytes_of / 1e6:.1f} MB{f'; {advice}' if found else ''}")


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--remove", action="store_true", help="remove them")
    command.run(main)
