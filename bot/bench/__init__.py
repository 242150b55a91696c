"""Benchmarks: what the engine finds, how fast, and against which baselines; `incident-responder bench`."""
