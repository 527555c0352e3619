"""What an experiment does, from its settings alone.

Light on purpose (standard library): the workflow asks at the start of every job.
"""

from trakway.plan.code import code_files
from trakway.plan.ensembles import OUTPUT_ROLES, ensemble_shards, ensemble_sizes
from trakway.plan.features import feature_shards
from trakway.plan.figures import declared_figures
from trakway.plan.functions import feature_functions, is_window, window_timestep
from trakway.plan.methods import JOURNEY, METHODS, NEEDS, OPTIONS, PER_STEP, is_tuned, main_method, score_settings
from trakway.plan.modalities import Modality, modalities, modality_of
from trakway.plan.projections import other_kind, projection_name, projections
from trakway.plan.reads import files
from trakway.plan.removal import CONTROL, Removal, count_removal_rows, removal_rows
from trakway.plan.report import check_files, checks, report_files
from trakway.plan.sections import target_settings, task_settings
from trakway.plan.shards import shard_range, shards
from trakway.plan.tables import declared_tables

__all__ = [
    "Modality",
    "modalities",
    "modality_of",
    "CONTROL",
    "JOURNEY",
    "METHODS",
    "NEEDS",
    "OPTIONS",
    "OUTPUT_ROLES",
    "PER_STEP",
    "Removal",
    "check_files",
    "checks",
    "code_files",
    "count_removal_rows",
    "declared_figures",
    "declared_tables",
    "ensemble_shards",
    "ensemble_sizes",
    "feature_functions",
    "feature_shards",
    "files",
    "is_tuned",
    "is_window",
    "main_method",
    "other_kind",
    "projection_name",
    "projections",
    "removal_rows",
    "report_files",
    "score_settings",
    "shard_range",
    "shards",
    "target_settings",
    "task_settings",
    "window_timestep",
]
