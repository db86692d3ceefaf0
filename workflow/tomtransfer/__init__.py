"""Transfer strategic behaviour in games from a large language model to a small one, and measure what came across."""

__version__ = "0.1.0"
