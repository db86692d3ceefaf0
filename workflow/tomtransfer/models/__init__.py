"""Where models come from: the registry, fetching, conversion, integrity, four-bit weights, GPUs."""
