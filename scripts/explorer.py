"""Write the explorer of an experiment: its attributions as pages that open from a folder."""

from pathlib import Path

from trakway.config import read_settings
from trakway.errors import UserError
from trakway.runtime.command import Command


def main(arguments):
    from trakway.attribution.inputs import INPUTS
    from trakway.explorer.build import Experiment, build
    from trakway.explorer.reads import feature_files, parts_of
    from trakway.explorer.self_influence import self_influence
    from trakway.figures.style import introduce
    from trakway.plan import main_method, methods_of, modality_of
    from trakway.report.given import given
    from trakway.storage.files import read_json
    from trakway.training.pretrained import replacing_folder

    settings = read_settings(arguments.settings)
    introduce({name: chosen.method for name, chosen in methods_of(settings).items()})
    found, own = {}, None
    try:
        for part in parts_of(settings):
            found |= given(part, arguments.folder, settings)
        if files := feature_files(settings):
            options = read_json(arguments.folder / f"scores/{main_method(settings)}.json").get("options", {})
            members = INPUTS["features"].load([arguments.folder / file for file in files], None)
            own = self_influence(members, options.get("ridge", 0.0), options.get("weights", True))
        experiment = Experiment(found, modality_of(settings).traits)
    except FileNotFoundError as error:
        raise UserError(
            f"{error.filename}: found no such file; allowed: whole results of this version. Bring them up to date with "
            f"snakemake --cores all -- {settings['name']}_explorer"
        ) from None
    with replacing_folder(arguments.output or arguments.folder / "explorer") as folder:
        build(folder, experiment, arguments.tier, own)


if __name__ == "__main__":
    command = Command(__doc__)
    command.add_argument("--folder", type=Path, required=True, help="the experiment's results, e.g. results/demo/NAME")
    command.add_argument("--settings", required=True, help="all settings of the experiment: JSON text or a YAML file")
    command.add_argument("--tier", default="", help="of the experiment")
    command.add_argument("--output", type=Path, help="folder for the explorer, by default explorer/ in the results")
    command.run(main)
