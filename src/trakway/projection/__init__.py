"""Random projections of gradients: one definition, independent of batch, block and device (see docs/projection.md)."""

VERSION = 1  # of the definition; stored with every feature, so that two definitions are never mixed
