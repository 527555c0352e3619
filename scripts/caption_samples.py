"""Draw samples of captions from the models of one shard, and keep what the domain's classifier sees."""

from pathlib import Path

from trakway.config import read_settings
from trakway.plan import code_files
from trakway.runtime.command import Command


def main(arguments):
    from trakway.generation.caption_samples import draw_samples
    from trakway.generation.domain import DomainClassifier
    from trakway.storage.files import read_json
    from trakway.storage.fingerprint import code_digest, data_digest, fingerprint
    from trakway.tasks import build_task
    from trakway.training import load_model

    settings = read_settings(arguments.settings)
    task = build_task(settings, arguments.data, arguments.device)
    classifier = DomainClassifier.load(settings, arguments.data, arguments.classifier, arguments.device)
    shard = read_json(arguments.models)
    folder = arguments.models.parent / shard["folder"]
    models = {model["index"]: model for model in shard["models"]}
    code = code_digest(code_files(__file__, *task.sources, *classifier.task.sources))
    mark = fingerprint(settings, shard, read_json(arguments.classifier), data_digest(arguments.data), code)
    return draw_samples(
        task,
        classifier,
        lambda index: load_model(task, folder, models[index]),
        list(models),
        arguments.samples,
        mark,
        arguments.output,
    )


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings", required=True, help="what the task is built from, and domain: JSON text or a YAML file"
    )
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--models", type=Path, required=True, help="description of the models (JSON)")
    command.add_argument("--classifier", type=Path, required=True, help="description of the domain's classifier (JSON)")
    command.add_argument("--samples", type=int, required=True, help="samples a model")
    command.add_argument(
        "--output", type=Path, required=True, help="folder for probabilities.npy, pictures.npy, prompts.parquet"
    )
    command.run(main)
