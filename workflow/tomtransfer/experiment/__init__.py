"""The experiment as people write it: its typed config, the files that it comes from, and how mistakes are told."""
