"""Data sets: from a raw source to memory-mapped arrays and a table of examples.

``prepare`` writes the files of one data set, ``ImageData`` reads them back.
"""

from trakway.data.images import ImageData
from trakway.data.preparation import prepare

__all__ = ["ImageData", "prepare"]
