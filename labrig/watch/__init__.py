"""The voice: tells people what a run wants of them, by the routes they chose.

A process of its own that outlives runner, page and Prefect (:mod:`labrig.watch.process`). It looks
at every run of this user on this computer, and writes into none.
"""
