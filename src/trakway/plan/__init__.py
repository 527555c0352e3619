"""What an experiment does, from its settings alone.

Light on purpose (standard library): the workflow asks at the start of every job.
"""

from trakway.plan.code import code_files
from trakway.plan.datasets import Dataset
from trakway.plan.ensembles import ALONE, COMPLETING, FIXED, OUTPUT_ROLES, ensemble_shards, ensemble_sizes, subsets_of
from trakway.plan.functions import is_window, window, window_timestep
from trakway.plan.layout import (
    INFLUENCES,
    feature_costs,
    feature_files,
    feature_folders,
    final_checkpoint,
    shard_files,
)
from trakway.plan.methods import (
    CONTROL,
    Chosen,
    Method,
    allowed_methods,
    default_methods,
    library_methods,
    main_method,
    method_names,
    method_of,
    methods_of,
    score_settings,
    step_methods,
    steps_only,
)
from trakway.plan.modalities import Modality, modalities, modality_of
from trakway.plan.places import is_own, place, shortest
from trakway.plan.projections import other_kind, preconditioner_name, projection_name, projections
from trakway.plan.removal import Removal, count_removal_rows, removal_rows
from trakway.plan.sections import (
    data_files,
    data_folders,
    definitions,
    feature_settings,
    has_own,
    model_files,
    target_settings,
    task_settings,
)
from trakway.plan.shards import check_once, compact, expand, shard_range, shards

__all__ = [
    "ALONE",
    "COMPLETING",
    "CONTROL",
    "FIXED",
    "INFLUENCES",
    "Chosen",
    "Dataset",
    "Method",
    "Modality",
    "OUTPUT_ROLES",
    "Removal",
    "allowed_methods",
    "check_once",
    "code_files",
    "compact",
    "count_removal_rows",
    "data_files",
    "data_folders",
    "default_methods",
    "definitions",
    "ensemble_sizes",
    "expand",
    "feature_costs",
    "feature_files",
    "feature_folders",
    "feature_settings",
    "final_checkpoint",
    "has_own",
    "is_own",
    "is_window",
    "library_methods",
    "main_method",
    "method_names",
    "model_files",
    "method_of",
    "methods_of",
    "modalities",
    "modality_of",
    "other_kind",
    "place",
    "preconditioner_name",
    "projection_name",
    "projections",
    "removal_rows",
    "score_settings",
    "shard_files",
    "shard_range",
    "shards",
    "ensemble_shards",
    "shortest",
    "step_methods",
    "subsets_of",
    "steps_only",
    "target_settings",
    "task_settings",
    "window",
    "window_timestep",
]
