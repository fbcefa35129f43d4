"""What it takes to bring a started run to its report: follow, measure, report.

Plain functions without Prefect, called by the flow's tasks and by ``labrig run
--without-prefect`` alike.
"""
