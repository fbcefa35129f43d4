"""The nuclei in each tube, and what the definition in force calls the tube for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from labrig_analysis.fusion import FusionSettings, nuclei_per_tube

if TYPE_CHECKING:
    import pandas as pd


def add_nuclei(
    table: pd.DataFrame, tube_of_nucleus: npt.NDArray[np.int32], settings: FusionSettings
) -> pd.DataFrame:
    """The table with each tube's nuclei, its nuclear domain and what the definition calls it."""
    count = nuclei_per_tube(tube_of_nucleus, len(table))
    return table.assign(
        nuclei=count,
        # Area a nucleus has to serve; of a tube without nuclei it is unknown.
        nuclear_domain_um2=np.where(count > 0, table["area_um2"] / np.maximum(count, 1), np.nan),
        myotube=count >= settings.min_nuclei,
        mature=count >= settings.mature_nuclei,
    )
