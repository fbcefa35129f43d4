"""Holds what a simulated night says of itself against what its instruments physically did.

Shares no code with labrig, so that no fold is judged by itself: the journal is read by SQL,
everything else as JSON, CSV and HTML. Begin with ``check``.
"""
