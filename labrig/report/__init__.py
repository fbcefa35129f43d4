"""The morning after: verdict, figures, tables and one page that a person opens.

:func:`labrig.report.build.build_report` makes ``report/report.html`` of a run folder.
"""
