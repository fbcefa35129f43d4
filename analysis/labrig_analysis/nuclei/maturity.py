"""How far the tubes of a field have come: nuclei in them, and tube area that each nucleus serves.

All of it hangs on which nuclei are taken to be in which tube (`fusion.assign_tubes`). Two tubes
that are seen as one raise nuclei per tube and the maturation index and leave the nuclear domain as
it is; a tube seen as two lowers them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


def maturation_index(nuclei: Counts, min_nuclei: int, mature_nuclei: int) -> float:
    """Share of myotubes with many nuclei; the cut is common practice (5), not a standard.

    Args:
        nuclei: (n,) nuclei in each tube.
        min_nuclei: a tube is a myotube from so many on.
        mature_nuclei: a myotube is mature from so many on.

    Returns:
        0 to 1; NaN without a myotube.

    >>> maturation_index(np.array([1, 2, 5, 9]), min_nuclei=2, mature_nuclei=5)
    0.6666666666666666
    """
    myotubes = nuclei[nuclei >= min_nuclei]
    return float((myotubes >= mature_nuclei).mean()) if len(myotubes) else np.nan


def nuclei_per_myotube(nuclei: Counts, min_nuclei: int) -> float:
    """Mean number of nuclei of the tubes that are myotubes; NaN without one.

    Known bias: low in small fields, whose border cuts long tubes and leaves nuclei outside.

    Args:
        nuclei: (n,) nuclei in each tube.
        min_nuclei: a tube is a myotube from so many on.

    >>> nuclei_per_myotube(np.array([0, 1, 2, 5]), min_nuclei=2)
    3.5
    """
    myotubes = nuclei[nuclei >= min_nuclei]
    return float(myotubes.mean()) if len(myotubes) else np.nan


def nuclear_domains_um2(areas_um2: Values, nuclei: Counts) -> Values:
    """Tube area that one nucleus serves, for each tube: area / nuclei.

    Known bias: as high as the area, which takes in the haze around a tube
    (`field_summary.area_fraction`).

    Args:
        areas_um2: (n,) of each tube.
        nuclei: (n,) in each tube.

    Returns:
        (n,) µm² a nucleus; NaN for a tube without nuclei, whose domain is unknown.

    >>> nuclear_domains_um2(np.array([900.0, 500.0]), np.array([3, 0]))
    array([300.,  nan])
    """
    return np.where(nuclei > 0, areas_um2 / np.maximum(nuclei, 1), np.nan)


def nuclear_domain_um2(areas_um2: Values, nuclei: Counts, min_nuclei: int) -> float:
    """Tube area that one nucleus serves in a field: area of all myotubes / all their nuclei.

    Every nucleus counts once, unlike in the mean of `nuclear_domains_um2`, in which one nucleus in
    a large tube weighs as much as twenty in another.

    Args:
        areas_um2: (n,) of each tube.
        nuclei: (n,) in each tube.
        min_nuclei: a tube is a myotube from so many on.

    Returns:
        µm² a nucleus; NaN without a myotube.

    >>> nuclear_domain_um2(np.array([900.0, 500.0]), np.array([3, 1]), min_nuclei=2)
    300.0
    """
    is_myotube = nuclei >= min_nuclei
    served = nuclei[is_myotube].sum()
    return float(areas_um2[is_myotube].sum() / served) if served else np.nan
