"""Settings: read from YAML, merged, checked against the schemas, and explained when they are wrong.

Light on purpose (standard library, PyYAML, jsonschema): the workflow imports it at the start of every job.
"""

from trakway.config.loading import config_file, experiment_tiers, load_config, load_experiment, load_experiments
from trakway.config.merging import deep_merge
from trakway.config.reading import read_mapping
from trakway.config.sections import read_settings, section

__all__ = [
    "config_file",
    "deep_merge",
    "experiment_tiers",
    "load_config",
    "load_experiment",
    "load_experiments",
    "read_mapping",
    "read_settings",
    "section",
]
