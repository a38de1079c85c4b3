"""Benchmarks: what Watchbook costs in requests, time and memory.

``make bench`` runs them all; ``docs/benchmarks.md`` holds what they showed, and under which
conditions. They measure and never fail a build: a shared machine can be three times slower than
itself, so counts and ratios of alternating runs come before seconds.
"""
