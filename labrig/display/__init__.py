"""Every text about a run that a person sees, made of the facts that the journal holds.

Terminal, page, mail and report say the same thing in the same words because they all ask here.
Pure, and light enough for the runner: no pydantic, no arrays, no files.

Which module: `numbers` and `times` for values, `legend` for what wells and instruments are called
in a run, then one module per kind of thing that is told.
"""
