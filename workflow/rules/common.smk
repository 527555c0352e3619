# Settings and paths. Nothing heavy is imported here: every job pays for it.
import copy
import functools
import json
import os
import shlex
import sys
from collections import Counter
from pathlib import Path

REPOSITORY = Path(workflow.basedir).parent if Path(workflow.basedir).name == "workflow" else Path(workflow.basedir)

# This repository's library, whatever is installed.
sys.path.insert(0, str(REPOSITORY / "src"))

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

from trakway import plan
from trakway import report as report_parts
from trakway.attribution.inputs import INPUTS, inputs_of
from trakway.explorer import reads as explorer
from trakway.runtime import environment
from trakway.config import config_file, experiment_tiers, load_config, load_experiments, read_mapping, section
from trakway.plan.suggestions import did_you_mean
from trakway.errors import UserError
from trakway.runtime.progress import announce
from trakway.storage.contents import stamped

# Of the working directory, where it has one.
CONFIG_FILE = config_file(REPOSITORY)

try:
    # Where a key of the command line comes from: a later file, or --config, has the last word.
    ORIGINS = {key: plan.shortest(file) for file in workflow.configfiles for key in read_mapping(file)}
    ORIGINS |= dict.fromkeys(workflow.config_settings.config, "--config")
    CONFIG = load_config(CONFIG_FILE, config, origins=ORIGINS)
    FOLDER = Path(CONFIG["folder"] or REPOSITORY / "config/experiments").expanduser()
    TIERS = experiment_tiers(FOLDER)
    TIER = CONFIG["tier"]
    # Every experiment at the tier that is asked for, or at its only one; and the smoke tier for the target `smoke`.
    TIER_OF = {name: TIER if TIER in tiers else tiers[0] for name, tiers in TIERS.items()}
    SETTINGS = {
        tier: load_experiments(FOLDER, tier, having)
        for tier in {*TIER_OF.values(), "smoke"}
        if (having := [name for name, tiers in TIERS.items() if tier in tiers])
    }
    ALL = list(load_experiments(FOLDER, TIER, CONFIG["experiments"]))
except UserError as error:
    raise WorkflowError(str(error)) from None

environment.set_for_jobs(REPOSITORY, CONFIG["jobs_per_gpu"])

RESULTS = CONFIG["results"]
ENSEMBLES = ("members", "evaluation", "estimation", "reference", "removal", *plan.FIXED, *plan.ALONE)
DEVICE = environment.planned_device(CONFIG["device"])
ROOT = f"{RESULTS}/{{tier}}/{{name}}"
TARGETS = f"{ROOT}/targets/targets.parquet"
GPU = 1 if DEVICE == "cuda" else 0
ENVIRONMENT = "../../envs/cuda.yaml" if GPU else "../../envs/cpu.yaml"


def names_where(fits):
    """Return a pattern for the names of the experiments whose modality fits."""
    return pattern_of(name for name, tier in TIER_OF.items() if fits(plan.modality_of(SETTINGS[tier][name])))


def pattern_of(names):
    """Return a pattern for names; one that nothing matches where there are none."""
    return "|".join(names) or "(?!)"


def more(first):
    """Resources: what a job asks for; tried again, where a profile has ``retries``, it asks for as much more."""
    return lambda w, attempt: attempt * first


# With `--sdm apptainer`; ignored without.
IMAGE = CONFIG["container"] or str(REPOSITORY / "envs/trakway.sif")


container: IMAGE


if DeploymentMethod.APPTAINER in workflow.deployment_settings.deployment_method:
    if "://" not in IMAGE and not Path(IMAGE).exists():
        raise WorkflowError(
            f"{CONFIG_FILE}: container: found no image {IMAGE}; allowed: the path of one, or its address (docker://...);"
            f" build one: apptainer build {IMAGE} envs/trakway.def (in the root of the clone)."
        )


wildcard_constraints:
    tier="|".join(SETTINGS),
    name="|".join(TIERS),
    ensemble="|".join(ENSEMBLES),
    shard=r"\d+-\d+",
    method=r"\w+",
    preconditioner=r"kronecker-[^/]+",
    checkpoint=r"\d+",
    projection=r"[^/]+",
    function=r"output|norm|window-\d+",
