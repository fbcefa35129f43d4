"""The simulated world behind the simulators: liquid, culture and light on the run's one clock.

Pure standard library: it lives inside the runner process of a simulated night. What it knows
is the truth, and stays here: the runner, the measures and the report never import this package
or read the ``twin`` folder of a run.
"""
