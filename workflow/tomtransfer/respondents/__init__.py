"""Whoever answers a prompt: one protocol, its implementations, and how their answers become tables."""
