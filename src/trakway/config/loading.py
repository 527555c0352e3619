"""Read and check config.yaml and the experiments."""

import keyword
import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from trakway.config.checks import faults
from trakway.config.merging import complete, deep_merge
from trakway.config.methods import check_methods, with_own_files
from trakway.config.names import complete_options, locate, name_faults
from trakway.config.problems import Fault, Problem, did_you_mean, dotted, raise_all, schema_problems, show, value_at
from trakway.config.reading import read_mapping
from trakway.config.schemas import load_schema, relaxed
from trakway.errors import UserError
from trakway.plan import default_methods, modality_of

NOT_IN_A_TIER = ("name", "description", "task", "tiers")
RESERVED = ("all", "smoke")  # targets of the workflow; an experiment's name is a target too
RESERVED_ENDINGS = ("_lds", "_removal", "_ablation", "_orders", "_publish", "_explorer")


def config_file(repository: Path) -> Path:
    """Return the config.yaml of the working directory where there is one, else that of the repository."""
    return next(file for file in (Path("config/config.yaml"), repository / "config/config.yaml") if file.exists())


def load_config(
    path: str | os.PathLike,
    overrides: dict | None = None,
    schemas: str | os.PathLike | None = None,
    origins: Mapping[str, str] = MappingProxyType({}),
) -> dict:
    """Read config.yaml, lay ``overrides`` (Snakemake's ``--config`` and ``--configfile``) over it, and validate.

    Args:
        path: the YAML file.
        overrides: keys and values from the command line; ``experiments`` may be text, its names parted by commas.
        schemas: folder of the schemas; the repository's config/schemas by default.
        origins: the file which each of them comes from; of others it is ``--config``.

    Returns:
        The keys of config.schema.yaml; ``experiments`` is a list of names or None (all that have the tier), ``results``
        begins with a home where it began with ``~``.

    Raises:
        UserError: every fault found, one a line.
    """
    schema = load_schema("config", schemas)
    written = read_mapping(path)
    overrides = dict(overrides or {})
    if isinstance(overrides.get("experiments"), str):
        names = overrides["experiments"]
        overrides["experiments"] = None if names in ("", "null") else [name.strip() for name in names.split(",")]
    merged = deep_merge(written, overrides)
    given = {key for key in overrides if key not in written or written[key] != overrides[key]}
    raise_all(
        problem.line(origins.get(problem.path[0], "--config") if problem.path[0] in given else str(path))
        for problem in schema_problems(merged, schema)
    )
    found = complete(merged, schema)
    return found | {"results": os.path.expanduser(found["results"])}


def load_experiment(path: str | os.PathLike, tier: str, schemas: str | os.PathLike | None = None) -> dict:
    """Read an experiment at one tier.

    The whole file is validated, the tiers not asked for included. Then ``tiers[tier]`` is laid over the rest, the
    schema's defaults fill what is left, and the settings are checked against each other.

    Args:
        path: the YAML file; its stem is the experiment's name.
        tier: the tier to take.
        schemas: folder of the schemas; the repository's config/schemas by default.

    Returns:
        The settings, complete, in the schema's order, without ``tiers``.

    Raises:
        UserError: every fault found, one a line.
    """
    settings, lines = _examine(Path(path), tier, schemas)
    raise_all(lines)
    return settings


def load_experiments(
    folder: str | os.PathLike,
    tier: str,
    names: list[str] | None = None,
    schemas: str | os.PathLike | None = None,
) -> dict[str, dict]:
    """Read the experiments of a folder at one tier.

    Args:
        folder: holds one ``.yaml`` file an experiment.
        tier: the tier to take.
        names: the experiments wanted: all must exist and have the tier. None: every experiment of the folder is
            validated, and those without the tier are left out (``experiment_tiers`` tells which have it).
        schemas: folder of the schemas; the repository's config/schemas by default.

    Returns:
        Name to settings, sorted by name.

    Raises:
        UserError: every fault found in any file, one a line.
    """
    files = _experiment_files(folder)
    lines, found = [], {}
    for name in dict.fromkeys(names or ()):
        if name not in files:
            problem = Problem(("experiments",), show(name), ", ".join(files), "")
            lines.append(problem.line(str(folder)) + did_you_mean(name, files) + "Correct the name or add its file.")
    for name, path in files.items():
        if names is None or name in names:
            try:
                settings, said = _examine(path, tier, schemas, tier_needed=names is not None)
            except UserError as error:
                settings, said = None, [str(error)]
            lines += said
            found |= {name: settings} if settings is not None else {}
    raise_all(lines)
    if not found:
        having = "; ".join(f"{name}: {', '.join(tiers)}" for name, tiers in experiment_tiers(folder).items())
        raise UserError(f"{folder}: tier: found {show(tier)}, which no experiment has; allowed: {having}. Choose one.")
    return found


def experiment_tiers(folder: str | os.PathLike) -> dict[str, list[str]]:
    """Return the tiers each experiment of a folder has, by name, in the order of the file.

    Raises:
        UserError: one has none, or its file cannot be read; names the file.
    """
    found, lines = {}, []
    for name, path in _experiment_files(folder).items():
        written = read_mapping(path)
        found[name] = _tiers(written)
        if not found[name]:
            given = show(written["tiers"]) if "tiers" in written else "nothing"
            lines.append(
                f"{path}: tiers: found {given}; allowed: a mapping of smoke, demo, validated or paper, one at least, to"
                " the settings of that size. Add one, such as `tiers: {demo: {}}`."
            )
    raise_all(lines)
    return found


def _tiers(written: dict) -> list[str]:
    tiers = written.get("tiers")
    return list(tiers) if isinstance(tiers, dict) else []


def _experiment_files(folder: str | os.PathLike) -> dict[str, Path]:
    paths = sorted(path for path in Path(folder).glob("[!.]*") if path.suffix in (".yaml", ".yml"))
    if not paths:
        raise UserError(f"{folder}: found no experiment; allowed: one .yaml file each. Check the folder's name.")
    files: dict[str, Path] = {}
    twice = [(files[path.stem], path) for path in paths if files.setdefault(path.stem, path) != path]
    raise_all(
        f"{second}: name: found a second experiment {show(second.stem)} beside {first}; allowed: one file a name. "
        "Rename or remove one of the two."
        for first, second in twice
    )
    return files


def _examine(
    path: Path, tier: str, schemas: str | os.PathLike | None, tier_needed: bool = True
) -> tuple[dict | None, list[str]]:
    """Return the settings at ``tier`` (None where the tier is missing or unusable) and the messages on the file."""
    schema = load_schema("experiment", schemas)
    written = read_mapping(path)
    tiers = written["tiers"] if isinstance(written.get("tiers"), dict) else {}

    # Part by part, so that a message names the place in the file and no tier hides a fault.
    problems = schema_problems(written, relaxed(schema))
    problems += _name_problems(written.get("name"), path.stem)
    part = relaxed(schema, without=NOT_IN_A_TIER)
    for name in tiers:
        if name in schema["properties"]["tiers"]["properties"] and isinstance(tiers[name], dict):
            problems += schema_problems(tiers[name], part, prefix=("tiers", name))

    settings, lines = None, []
    if isinstance(tiers.get(tier), dict):
        settings = complete(deep_merge(written, tiers[tier]), schema)
        settings.pop("tiers")
        locate(settings, path.parent)
        bare = schema | {
            "properties": {key: sub for key, sub in schema["properties"].items() if key != "tiers"},
            "required": [key for key in schema.get("required", ()) if key != "tiers"],
        }
        wrong = schema_problems(settings, bare)
        # What lacks in an item of a list is told above: lists are not merged.
        lacks = [problem for problem in wrong if problem.found == "nothing"]
        problems += [lack for lack in lacks if not any(isinstance(part, int) for part in lack.path)]
        if not wrong:  # the checks count on sound types, and on what is named
            lost = list(name_faults(settings))
            lines = [f"{path}: {dotted(_path(key, written, tier))}: {said}" for key, said in lost]
            if not lost:
                try:
                    own = with_own_files(settings["methods"], path.parent)
                    settings["methods"] = own or default_methods(modality_of(settings))
                    check_methods(settings)
                except UserError as error:
                    return settings, [*(problem.line(str(path)) for problem in problems), f"{path}: {error}"]
                problems += [_located(fault, settings, written, tier) for fault in faults(settings)]
                complete_options(settings)
    elif tier not in tiers and (tier_needed or not tiers):
        advice = did_you_mean(tier, tiers) + f"Choose one of these, or add tiers.{tier} to the file."
        allowed = "the tiers of this experiment: " + (", ".join(map(str, tiers)) or "none yet")
        problems.append(Problem(("tiers",), f"no tier {show(tier)}", allowed, advice))
    return settings, [problem.line(str(path)) for problem in problems] + lines


def _name_problems(name, stem: str) -> list[Problem]:
    if not isinstance(name, str):
        return []
    problems = []
    if name != stem:
        advice = f"Rename the file to {name}.yaml or set `name: {stem}`."
        problems.append(Problem(("name",), show(name), f'the stem of the file\'s name, "{stem}"', advice))
    if not name.isidentifier() or not name.isascii() or keyword.iskeyword(name):
        advice = "The name becomes a rule of the workflow: use letters, digits and _, e.g. fashion_resnet."
        problems.append(Problem(("name",), show(name), "a Python identifier that is no keyword", advice))
    if name in RESERVED or name.endswith(RESERVED_ENDINGS):
        advice = "These names are targets of the workflow. Choose another name."
        allowed = f"none of {', '.join(RESERVED)}, and no name ending in {', '.join(RESERVED_ENDINGS)}"
        problems.append(Problem(("name",), show(name), allowed, advice))
    return problems


def _located(fault: Fault, settings: dict, written: dict, tier: str) -> Problem:
    """Return a fault as a problem: the value found, the place in the file which set it, and the tier that it harms."""
    key, allowed, advice = fault
    path, found = _path(key, written, tier), show(value_at(settings, key))
    if path[:1] != ("tiers",):
        found += f"{'' if _is_given(path, written) else ' (the default)'} at the tier {tier}"
    return Problem(path, found, allowed, advice)


def _path(key: str, written: dict, tier: str) -> tuple:
    """Return the place in the file that sets a key: of the tier, where it does."""
    path = tuple(int(part) if part.isdigit() else part for part in key.split("."))
    return ("tiers", tier, *path) if _is_given(path, written["tiers"][tier]) else path


def _is_given(path: tuple, written: dict) -> bool:
    for part in path:
        if isinstance(written, list):
            return True
        if not isinstance(written, dict) or part not in written:
            return False
        written = written[part]
    return True
