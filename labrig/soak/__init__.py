"""Nights drawn from numbers, played on the virtual clock and held against the physical truth.

Read in this order: ``night`` (what is played), ``drawn_plans`` (from a number to a night),
``playing`` (the night itself), ``shrinking`` (the smallest night that still fails), ``soaking``
(thousands of them).
"""
