"""The technician's page: a process of its own that shows runs and speaks through their doors.

It holds no truth. What it shows it reads from runners and run folders; what people do here goes
to the runner, or is done by the very command that a terminal would run. Killing it changes nothing.
"""
