"""Draw completions of the targets' x_t from the models of one shard, and keep what the domain's classifier sees."""

from pathlib import Path

from trakway.config import read_settings
from trakway.plan import FIXED, code_files
from trakway.runtime.command import Command


def main(arguments):
    from trakway.generation.completions import completion_rows, draw_completions
    from trakway.generation.domain import DomainClassifier
    from trakway.storage.files import read_array, read_json, read_table, write_array
    from trakway.storage.fingerprint import code_digest, file_digest, fingerprint
    from trakway.tasks import build_task
    from trakway.training import load_model

    settings = read_settings(arguments.settings)
    removal = settings["removal"]
    task = build_task(settings, arguments.data, arguments.device, arguments.targets)
    classifier = DomainClassifier.load(settings, arguments.data, arguments.classifier, arguments.device)
    shard = read_json(arguments.models)
    folder = arguments.models.parent / shard["folder"]
    models = {model["index"]: model for model in shard["models"]}
    rows = completion_rows(
        shard["ensemble"],
        list(models),
        None if arguments.rows is None else read_table(arguments.rows),
        removal["targets"],
        settings["journey"]["timesteps"],
        removal["fixed" if shard["ensemble"] in FIXED else "seeds"],
    )
    _, final = classifier(read_array(arguments.targets.parent / "images.npy"))
    write_array(arguments.output / "final.npy", final)
    noisy = arguments.targets.parent / f"{task.states}noisy.npy"
    captions = read_table(arguments.targets).drop_duplicates("target")["caption"].tolist()
    code = code_digest(code_files(__file__, *task.sources, *classifier.task.sources))
    mark = fingerprint(settings, shard, read_json(arguments.classifier), file_digest(noisy), captions, code)
    return draw_completions(
        task,
        classifier,
        lambda index: load_model(task, folder, models[index]),
        rows,
        read_array(noisy),
        captions,
        removal["completions"],
        mark,
        arguments.output,
    )


if __name__ == "__main__":
    command = Command(__doc__, computes=True)
    command.add_argument(
        "--settings",
        required=True,
        help="sections seed, task, model, diffusion, journey, domain, removal: JSON text or a YAML file",
    )
    command.add_argument("--data", type=Path, required=True, help="folder of the prepared data")
    command.add_argument("--targets", type=Path, required=True, help="table of targets, their x_t beside it")
    command.add_argument("--models", type=Path, required=True, help="description of the models (JSON)")
    command.add_argument("--classifier", type=Path, required=True, help="description of the domain's classifier (JSON)")
    command.add_argument("--rows", type=Path, help="what each removal subset lacks (Parquet)")
    command.add_argument(
        "--output",
        type=Path,
        required=True,
        help="folder for features.npy, probabilities.npy, pictures.npy, final.npy, index.parquet",
    )
    command.run(main)
