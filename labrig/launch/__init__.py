"""Where the parts of a night are put together: run folders, the runner process, the camera process.

The only room that knows both the runner and the simulated bench.
"""
