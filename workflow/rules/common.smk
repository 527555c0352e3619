# Settings, paths and the functions that rules share. Nothing heavy is imported here: every job pays for it.
import json
import os
import sys
from pathlib import Path

REPOSITORY = Path(workflow.basedir).parent if Path(workflow.basedir).name == "workflow" else Path(workflow.basedir)

# Jobs run this repository's library, whatever is installed, with the interpreter that runs Snakemake.
sys.path.insert(0, str(REPOSITORY / "src"))
os.environ["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ.setdefault("TRAKWAY_PROGRESS", str(Path(".snakemake/trakway-progress").absolute()))

from snakemake.exceptions import WorkflowError

from trakway import plan
from trakway.config import experiment_tiers, load_config, load_experiments, section
from trakway.device import visible_gpus
from trakway.errors import UserError

try:
    CONFIG = load_config(REPOSITORY / "config/config.yaml", config)
    TIERS = experiment_tiers(REPOSITORY / "config/experiments")
    TIER = CONFIG["tier"]
    # Every experiment at the tier that is asked for, or at its only one; and the smoke tier for the target `smoke`.
    TIER_OF = {name: TIER if TIER in tiers else tiers[0] for name, tiers in TIERS.items()}
    SETTINGS = {
        tier: load_experiments(REPOSITORY / "config/experiments", tier, [n for n, tiers in TIERS.items() if tier in tiers])
        for tier in {*TIER_OF.values(), "smoke"}
    }
    ALL = list(load_experiments(REPOSITORY / "config/experiments", TIER, CONFIG["experiments"]))
except UserError as error:
    raise WorkflowError(str(error)) from None

RESULTS = CONFIG["results"]
ENSEMBLES = ("members", "evaluation", "estimation", "reference", "removal")
DEVICE = CONFIG["device"]
ROOT = f"{RESULTS}/{{tier}}/{{name}}"
GPU = 1 if DEVICE == "cuda" or (DEVICE == "auto" and visible_gpus()) else 0
ENVIRONMENT = "../../envs/cuda.yaml" if GPU else "../../envs/cpu.yaml"


wildcard_constraints:
    tier="|".join(SETTINGS),
    name="|".join(TIERS),
    ensemble="|".join(ENSEMBLES),
    shard=r"\d+-\d+",
    method="|".join(plan.NEEDS),
    checkpoint=r"\d+",


def settings_of(w):
    return SETTINGS[w.tier][w.name]


def sections(*names):
    """Params: the named sections as JSON. A rule is run again when, and only when, their values change."""
    return lambda w: json.dumps(section(settings_of(w), *names))


def execution(key):
    """Params that never change a result: a function of the input is not among what Snakemake compares."""
    return lambda w, input: settings_of(w)["execution"][key]


def code(*patterns):
    """Input: the library files that decide a rule's numbers, compared by content."""
    package = REPOSITORY / "src/trakway"
    return sorted(os.path.relpath(path) for pattern in patterns for path in package.glob(pattern))


def shards_of(w, ensemble):
    """Return the shards of an ensemble: members in jobs of their own size, since features follow the same cut."""
    s = settings_of(w)
    subsets, seeds = plan.ensemble_sizes(s)[ensemble]
    return plan.shards(subsets * seeds, s["execution"]["members_per_job" if ensemble == "members" else "models_per_job"])


def shard_files(w, ensemble, folder, suffix):
    """Return one path a shard, e.g. results/demo/NAME/outputs/evaluation/00000-00025.npy."""
    root = ROOT.format(tier=w.tier, name=w.name)
    return [f"{root}/{folder}/{ensemble}/{shard}{suffix}" for shard in shards_of(w, ensemble)]


def outputs_of(ensemble):
    return lambda w: shard_files(w, ensemble, "outputs", ".npy")


def feature_folders(w, projection=None, checkpoints=None):
    """Return the feature folders of all members: by default the experiment's own projection, the final checkpoint."""
    s = settings_of(w)
    projection = projection or plan.projection_name(s["projection"])
    checkpoints = [s["training"]["checkpoints"] - 1] if checkpoints is None else checkpoints
    root = ROOT.format(tier=w.tier, name=w.name)
    return [f"{root}/features/{projection}/{c}/{shard}" for c in checkpoints for shard in shards_of(w, "members")]


def all_checkpoints(w):
    return range(settings_of(w)["training"]["checkpoints"])

