"""What all tests share: Hypothesis draws the same examples in every run and keeps no database beside the tree."""

from hypothesis import settings

settings.register_profile("nyala", deadline=None, derandomize=True, database=None)
settings.load_profile("nyala")
