"""Whole working days in a fraction of a second, to compare ways of pacing."""
