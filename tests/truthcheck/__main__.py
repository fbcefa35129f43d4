"""``python -m truthcheck RUN ...``: what is not true in these run folders."""

import sys
from pathlib import Path

from truthcheck import check_truth

for name in sys.argv[1:]:
    found = check_truth(Path(name))
    print(f"{name}: {len(found)} violations")
    for violation in found:
        print(f"  {violation}")
