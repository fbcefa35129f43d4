"""Drivers for the instruments of a cell-culture rig, and their simulators.

One folder an instrument: ``codec.py`` (pure bytes), ``driver.py`` (one plain class over a
transport that is passed in) and ``simulator.py`` (the same wire protocol from the other side,
written from the manual). What they share stands beside them: ``errors``, ``kinds``,
``transports``, ``plants``, ``instrument``.
"""
