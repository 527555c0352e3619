"""What an experiment does, from its settings alone.

Light on purpose (standard library): the workflow asks at the start of every job.
"""

from trakway.plan.code import code_files
from trakway.plan.datasets import Dataset
from trakway.plan.ensembles import OUTPUT_ROLES, ensemble_sizes
from trakway.plan.functions import feature_functions, is_window, window_timestep
from trakway.plan.methods import JOURNEY, NEEDS, OPTIONS, PER_STEP, is_tuned, main_method, methods_of, score_settings
from trakway.plan.modalities import Modality, modalities, modality_of
from trakway.plan.places import is_own, place, shortest
from trakway.plan.projections import other_kind, projection_name, projections
from trakway.plan.removal import CONTROL, Removal, count_removal_rows, removal_rows
from trakway.plan.sections import definitions, has_own, target_settings, task_settings
from trakway.plan.shards import shard_range, shards

__all__ = [
    "Dataset",
    "Modality",
    "definitions",
    "has_own",
    "is_own",
    "methods_of",
    "place",
    "shortest",
    "modalities",
    "modality_of",
    "CONTROL",
    "JOURNEY",
    "NEEDS",
    "OPTIONS",
    "OUTPUT_ROLES",
    "PER_STEP",
    "Removal",
    "code_files",
    "count_removal_rows",
    "ensemble_sizes",
    "feature_functions",
    "is_tuned",
    "is_window",
    "main_method",
    "other_kind",
    "projection_name",
    "projections",
    "removal_rows",
    "score_settings",
    "shard_range",
    "shards",
    "target_settings",
    "task_settings",
    "window_timestep",
]
