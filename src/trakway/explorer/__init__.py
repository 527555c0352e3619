"""The explorer: an experiment's attributions as pages to look at, which open from a folder without a server."""
