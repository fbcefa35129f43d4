"""The record of a run: the journal, and the folds that answer what it says.

``journal`` is the file, ``reading`` reads it (``NewRows``: what is new), ``kinds`` has a class per
kind of row, and ``said`` finds it. ``recovery``, ``recount`` and ``dose_ends`` say where a run
stands; ``delivery``, ``pulses``, ``pump_orders``, ``flow_bounds``, ``well_doses`` and ``ledger``
say what reached the wells; ``clock`` and ``virtual_clock`` stamp the rows. Both the runner and the
report read it from here; nothing in this room drives an instrument.
"""
