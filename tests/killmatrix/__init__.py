"""A small night in which its runner is killed at every effect that it has, one after another.

An *effect* is what outlives the process: a commit of the journal, a command on a wire, a picture
that is asked for, a file of the run folder that is opened for writing, renamed or removed. The
virtual clock makes their sequence the same every time: one pass counts them, and each number is
then killed right before it, and the run taken over.

``python -m killmatrix`` (``PYTHONPATH=tests``) plays all of them.
"""
