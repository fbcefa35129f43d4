"""Where the parts of a night are put together: run folders, the runner and imaging processes.

The only room that knows both the runner and the simulated bench.
"""
