"""What leaves the house: tables, figures and archives for other programs, one module per format.

Everything is worked out by :mod:`labrig.report`; nothing here computes a result of its own.
"""
