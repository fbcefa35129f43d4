"""Widths of labelled tubes: diameter along a centreline, calipers at given places.

measurement_points, chords and box_chords (the ways to take one), tube_table.
"""
