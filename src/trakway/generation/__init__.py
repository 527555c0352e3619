"""Images that models draw: samples with their trajectories, completions, and the classifier that looks at them."""
