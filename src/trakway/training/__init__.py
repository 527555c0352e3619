"""Training of ensembles: shards of models, each one resumable."""

from trakway.training.adoption import adopt
from trakway.training.checkpoint import load_checkpoint
from trakway.training.ensemble import Ensemble, load_model, train_shard

__all__ = ["Ensemble", "adopt", "load_checkpoint", "load_model", "train_shard"]
