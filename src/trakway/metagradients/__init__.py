"""Derivatives through all of training."""

import warnings

# torch's own forward derivatives are scripted; it says so to whoever asks for one.
warnings.filterwarnings("ignore", message=r"`torch\.jit\.script` is deprecated", category=FutureWarning)
