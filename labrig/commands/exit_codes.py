"""What a script can read off ``labrig``'s exit status.

======  ===========================================================================
status  meaning
======  ===========================================================================
0       done, or nothing against it
1       checked and refused: a file is wrong, a finding blocks, a run is not committed
2       the command line itself is wrong
3       no runner answers for this run
4       the run ended early: stopped by a person, or failed
5       an instrument is missing, busy, wrong or refused
6       some of the work failed, the rest is done (an image that could not be read)
======  ===========================================================================
"""

OK = 0
REFUSED = 1
USAGE = 2
NO_RUNNER = 3
ENDED_EARLY = 4
INSTRUMENT = 5
PARTLY = 6
