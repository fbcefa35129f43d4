"""From a protocol and a rig to a plan: pure functions, no instrument is touched.

``compile.compile_plan`` is the way in. ``timeline``, ``plan``, ``store`` and ``concentration``
import the standard library only, because the runner process loads them.
"""
