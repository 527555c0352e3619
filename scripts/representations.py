"""Compute what the last layer of each member, or of the domain's classifier, sees of training examples and targets."""

from pathlib import Path

from trakway.config import read_settings
from trakway.plan import check_once
from trakway.runtime.command import Command


def main(arguments):
    from trakway.features.members import members_of
    from trakway.features.representations import extract_representations
    from trakway.generation.domain import DomainClassifier
    from trakway.storage.files import read_array, read_json, read_table, write_array
    from trakway.tasks import build_task

    settings = read_settings(arguments.settings)
    table = read_table(arguments.targets)
    if settings.get("domain"):
        classifier = DomainClassifier.load(settings, arguments.data, arguments.models[0], arguments.device)
        images = read_array(arguments.targets.parent / "images.npy")[table["target"]]
        task, models = classifier.task, [lambda: classifier.model]

        def target_batch(entries):
            return classifier.batch(images[entries])

    else:
        task = build_task(settings, arguments.data, arguments.device, arguments.targets)
        check_once(arguments.models)
        shards = [(path.parent, read_json(path)) for path in arguments.models]
        models = [m.load for folder, shard in shards for m in members_of(task, shard, folder / shard["folder"])]
        target_batch = task.target_batch
    train, targets = extract_representations(task, models, target_batch, len(table), arguments.chunk)
    write_array(arguments.output / "train.npy", train)
    write_array(arguments.output / "targets.npy", targets)


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument("--settings", required=True, help="sections seed, task, model: JSON text or a YAML file")
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, required=True, help="table of targets")
    command.add_argument("--models", type=Path, nargs="+", required=True, help="descriptions of the members (JSON)")
    command.add_argument("--chunk", type=int, default=500, help="examples at a time")
    command.add_argument("--output", type=Path, required=True, help="folder for train.npy and targets.npy")
    command.run(main)
