"""Features: projected gradients of training examples and targets."""
