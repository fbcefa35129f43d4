"""The culture of one well: all parts of its state, stepped together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from labrig.twin.culture.activity import Activity, Drive, driven
from labrig.twin.culture.death import Death
from labrig.twin.culture.donor import Donor
from labrig.twin.culture.fibres import Fibres
from labrig.twin.culture.fusion import Fusion
from labrig.twin.culture.relaxing import between, toward
from labrig.twin.culture.resistance import Memories
from labrig.twin.culture.signals import Signals, signals
from labrig.twin.culture.size import Size
from labrig.twin.culture.surroundings import Surroundings
from labrig.twin.culture.twitch import Twitch
from labrig.twin.responses.factors import Responses


@dataclass(slots=True)
class Culture:
    """What is true of the myotubes of one well at one moment.

    Attributes:
        donor: whose cells they are.
        fusion: how far they are.
        size: of diameter and twitch.
        twitch: its form.
        fibres: the tails.
        death: and what protects from it.
        memories: of exposure.
        log_clusters: area of receptor clusters over the usual.
        trained: 0 to 1, impulses of the last days.
        log_young: what a tube lacks in width just after it was made.
        trophic: (log diameter, log contraction) that a nerve in a linked chamber gives.
        log_agrin: what that nerve adds to clusters.
        blocked: by pathway, at the last step.
    """

    donor: Donor
    fusion: Fusion
    log_young: float
    size: Size = field(default_factory=Size)
    twitch: Twitch = field(default_factory=Twitch)
    fibres: Fibres = field(default_factory=Fibres)
    death: Death = field(default_factory=Death)
    memories: Memories = field(default_factory=Memories)
    log_clusters: float = 0.0
    trained: float = 0.0
    trophic: tuple[float, float] = (0.0, 0.0)
    log_agrin: float = 0.0
    blocked: dict[str, float] = field(default_factory=dict)

    @property
    def log_diameter(self) -> float:
        """Of the mean diameter, over a standard mature culture."""
        return self.donor.log_size + self.log_young + self.size.log_diameter + self.death.log_domain

    @property
    def log_contraction(self) -> float:
        """Of the amplitude of one twitch, likewise."""
        own = self.donor.log_size + self.log_young
        return own + self.size.log_contraction + self.death.log_domain + self.twitch.log_coupling

    def advance(
        self, hours: float, around: Surroundings, activity: Activity, responses: Responses
    ) -> Signals:
        """Let ``hours`` pass in constant surroundings; returns what factors said."""
        numbers = responses.numbers
        resistance = self.memories.by_factor(numbers["resistance"]["most"])
        said = signals(around.factors_ng_ml, responses, self.donor, resistance)
        self.blocked = said.blocked
        medium = {**around.medium, **said.supplied} if said.supplied else around.medium
        drive = driven(activity, said.blocked, self.donor, numbers)
        starved = 1.0 - min(1.0, max(0.0, around.freshness))
        self.memories.step(hours, said, responses.factors, numbers["resistance"])
        diameter, contraction = self._pushes(said, drive, starved, medium, responses)
        missed, deprived = (
            self.size.missed(diameter["nerve"]),
            self.size.deprived(diameter["nerve"]),
        )
        self.size.step(hours, diameter, contraction, numbers)
        self.fusion.step(hours, said, medium, numbers["fusion"])
        self.fibres.step(hours, drive, numbers["fibres"])
        self.twitch.step(
            hours,
            said,
            drive,
            sum(contraction.values()) - self._missed(deprived, numbers),
            (around.co2_percent, around.o2_percent),
            medium["calcium"],
            numbers,
        )
        self.death.step(
            hours,
            said,
            starved=starved,
            missed=missed,
            trained=self.trained,
            glucose=medium["glucose"],
            temperature_c=around.temperature_c,
            age_days=self.fusion.age_h / 24.0,
            numbers=numbers,
        )
        memory = numbers["memory"]
        self.trained = toward(self.trained, drive.level, hours, memory["accustomed_h"])
        self.log_young = toward(self.log_young, 0.0, hours, memory["other_diameter_h"])
        clusters_h = numbers["synapse"]["clusters_h"]
        clusters = said.log_clusters + self.log_agrin
        self.log_clusters = toward(self.log_clusters, clusters, hours, clusters_h)
        return said

    def _missed(self, deprived: float, numbers: Mapping[str, Mapping[str, float]]) -> float:
        return deprived * numbers["lasting"]["disuse"] * self.size.usual_contraction

    def _pushes(
        self,
        said: Signals,
        drive: Drive,
        starved: float,
        medium: Mapping[str, float],
        responses: Responses,
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Where diameter and twitch are pushed, by origin."""
        numbers = responses.numbers
        starvation, food, synapse = numbers["starvation"], numbers["medium"], numbers["synapse"]
        diameter, contraction = said.log_diameter, said.log_contraction
        diameter["nerve"] += drive.log_diameter + self.trophic[0]
        diameter["nerve"] += synapse["clusters_log_diameter"] * self.log_clusters
        contraction["nerve"] += drive.log_contraction + self.trophic[1]
        contraction["nerve"] += synapse["clusters_log_contraction"] * self.log_clusters
        hit = 1.0 - numbers["climate"]["hsp_spares"] * self.death.heat_shock
        diameter["muscle"] *= hit
        contraction["muscle"] *= hit
        hungry = max(0.0, 1.0 - medium["amino_acids"]) * (1.0 - said.spared.get("amino_acids", 0.0))
        diameter["supply"] += starvation["log_diameter"] * starved
        diameter["supply"] += food["amino_acids_log_diameter"] * hungry
        contraction["supply"] += starvation["log_contraction"] * starved
        contraction["supply"] += food["amino_acids_log_contraction"] * hungry
        contraction["supply"] += food["glucose_log_contraction"] * between(
            food["glucose_from"], 0.0, medium["glucose"]
        )
        turning = self.memories.log_size(responses.factors)
        diameter["other"] += turning
        contraction["other"] += turning
        diameter["other"] += numbers["fusion"]["recruited_diameter"] * self.fusion.log_per_tube
        return diameter, contraction
