"""Meter data: load days, their merging and versions, gaps, estimation."""
