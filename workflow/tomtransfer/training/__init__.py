"""Tuning the student: examples, completions that share their prompt, the trainer, the adapter."""
