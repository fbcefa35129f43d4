"""Find tubes in a plane, stained (fluorescence) or not (phase), and trace their centrelines.

tube_labels (settings and what comes out), shape_filter, crossings, skeleton, centreline.
"""
