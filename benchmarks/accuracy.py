"""Print how accurate the analysis is on the images beside the checkout.

    python benchmarks/accuracy.py [../shared/images]

What was fitted on what is said in each table.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import accuracy_tubes
from accuracy_nuclei import print_nuclei


def main() -> None:
    """All tables."""
    beside = Path(__file__).parents[2] / "shared" / "images"
    images = Path(sys.argv[1]) if len(sys.argv) > 1 else beside
    if not images.is_dir():
        sys.exit(f"{images} is not there: give the folder with skmc/, nuclei/ and calipers/")
    accuracy_tubes.main(images)
    print_nuclei(images)


if __name__ == "__main__":
    main()
