"""The plan: which phone is tried in which band of which day."""
