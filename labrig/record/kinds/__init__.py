"""Every kind of row that a journal holds, as a class: `docs/journal.md` lists them.

A class says by class variables which rows are its own: ``CODE`` of a deviation, ``KEY`` of a row
of kind ``run``, else ``ROWS``, pairs of kind and state. Where several share a pair, ``MARK`` is
the key of the detail by which one is told from the others. `labrig.record.said` finds the class
of a row.
"""
