"""Tools for label images: 0 the background, 1..n objects.

run_lengths, region_properties, moments, relabelling, upsampling.
"""
