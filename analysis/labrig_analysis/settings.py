"""All that may be set about a measurement, in groups by what it is about."""

from __future__ import annotations

from dataclasses import dataclass, field

from labrig_analysis.nuclei.fusion import FusionSettings
from labrig_analysis.nuclei.pyknosis import PyknosisRule
from labrig_analysis.nuclei.segmentation import NucleusSettings
from labrig_analysis.stains.stain_settings import StainSettings
from labrig_analysis.tubes.tube_labels import TubeSettings
from labrig_analysis.widths.diameter import DiameterSettings

# A nucleus belongs to the field that holds half of a typical nucleus of it, so neighbouring fields
# count it once; `segment_nuclei` by itself labels smaller parts too.
COUNTED_AT_BORDER = 0.5


@dataclass(frozen=True)
class MeasureSettings:
    """The settings of every step of `measure`; each group is documented where it is used."""

    tubes: TubeSettings = field(default_factory=TubeSettings)
    diameters: DiameterSettings = field(default_factory=DiameterSettings)
    nuclei: NucleusSettings = field(
        default_factory=lambda: NucleusSettings(smallest_at_border=COUNTED_AT_BORDER)
    )
    pyknosis: PyknosisRule = field(default_factory=PyknosisRule)
    fusion: FusionSettings = field(default_factory=FusionSettings)
    stains: StainSettings = field(default_factory=StainSettings)
