"""Mutation testing of small modules: one change at a time, and the focused tests must see it.  `make mutation`; not in CI."""
