"""What may be set about stains beside tubes and nuclei, in groups by question."""

from __future__ import annotations

from dataclasses import dataclass, field

from labrig_analysis.stains.clusters import ClusterSettings
from labrig_analysis.stains.markers import MarkerSettings
from labrig_analysis.stains.neurites import NeuriteSettings
from labrig_analysis.stains.overlap import OverlapSettings
from labrig_analysis.stains.striations import StriationSettings


@dataclass(frozen=True)
class StainSettings:
    """The settings of every question about a stain; each is documented where it is asked."""

    clusters: ClusterSettings = field(default_factory=ClusterSettings)
    overlap: OverlapSettings = field(default_factory=OverlapSettings)
    neurites: NeuriteSettings = field(default_factory=NeuriteSettings)
    striations: StriationSettings = field(default_factory=StriationSettings)
    markers: MarkerSettings = field(default_factory=MarkerSettings)
