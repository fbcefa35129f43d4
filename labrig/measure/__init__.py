"""Measure images that lie in files: find them, pair their channels, measure, write tables."""
