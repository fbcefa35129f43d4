"""Optical contraction: motion of points, displacement from a baseline, responses to pulses."""
