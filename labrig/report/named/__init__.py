"""Outcomes that the protocol named before the run, answered at the experimental unit."""
