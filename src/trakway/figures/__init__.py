"""Figures of the report: each function takes tables or arrays and returns a matplotlib ``Figure``."""
