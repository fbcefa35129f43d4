"""The runner: one process per rig that owns ports, clock, journal and the schedule of actions.

Read in this order: ``labrig.record`` (time, and what was done), ``dispatcher`` and ``workers``
(doing it), ``runner`` (tying it together).
It imports neither Prefect nor OpenCV nor NumPy, and goes on when all of them are gone.
"""
