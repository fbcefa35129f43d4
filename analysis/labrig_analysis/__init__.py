"""Myotube morphometry: arrays in, tables out.

Stands alone: no files, no rig, no Prefect. Begin with :func:`labrig_analysis.measurement.measure`,
which finds tubes and nuclei in the planes of one field and gives label images and tables; its
steps are functions of their own:

* ``tubes_fluorescence.segment_tubes``, ``tubes_phase.segment_tube_like_objects``
* ``diameter.measure_diameters``, ``places.measure_widths_at``
* ``nuclei``, ``fusion``, ``pyknosis``
* ``contraction.measure_contraction`` for films
* ``registration``, ``quality``, ``tracking``, ``growth`` for time-lapse
* ``agreement``, ``statistics``
* ``synthetic``: images with exact truth
"""
