"""Simulated months: a pretended city's people, called by the real rules in pretended time."""
