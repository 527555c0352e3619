"""The library as a notebook uses it: a user's own model and tensors, on the functions that the scripts call."""
