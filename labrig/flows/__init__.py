"""Prefect conducts a night from here: the only room that imports prefect.

Its tasks that have to do with instruments attach to the runner and follow it; they are never
cached, never retried and keep no results, because the journal alone says what was done
(measured on Prefect 3.8.8: a flow killed in the middle of a step issues that step again).
"""
