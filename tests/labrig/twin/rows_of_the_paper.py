"""What the paper expects of each of its rows, for cultures without plumbing: arms and signs.

``says``: (quantity, arm, ">" or "<" or "=", other arm) at the end, or at an hour as fifth.
"""

from __future__ import annotations

from labrig.twin.responses import read_responses
from tests.labrig.twin.simulated_arms import BOTH, NERVE, PHASIC, TONIC, For, history

TNF, H2O2, IGF, CNTF = (
    {"TNF-alpha": "20 ng/mL"}, {"H2O2": "40 uM"}, {"IGF-1": "100 ng/mL"}, {"CNTF": "10 ng/mL"},
)  # fmt: skip
AGRIN, BDNF, NT4, FC = (
    {"agrin": "10 ng/mL"}, {"BDNF": "50 ng/mL"}, {"NT-4/5": "50 ng/mL"}, {"TrkB-Fc": "1 ug/mL"},
)  # fmt: skip
MEKI, FST, CM = {"U0126": "10 uM"}, {"follistatin": "300 ng/mL"}, {"C26-CM": "33 %"}
LOW_AA, LESS_GLUCOSE, GROWTH = {"amino_acids": 0.1}, {"glucose": 0.36}, {"serum": 10.0}
LEUCINE, NAC = {"leucine": "5 mM"}, {"NAC": "5 mM"}
OVERLOAD = {"insulin": "100 nM", "leucine": "5 mM", "palmitate": "250 uM"}
NEUROTRYPSIN = {"neurotrypsin": "190 ng/mL"}
IL6 = {"IL-6": "20 ng/mL"}


def hit(dosed=None, **around):
    """An hour of peroxide."""
    return For(1, {**H2O2, **(dosed or {})}, **around)


ROWS = {
    "D1 mass": (
        {"tonic": [For(72, {}, TONIC)], "tnf": [For(72, TNF, TONIC)]},
        [("D", "tnf", "<", "tonic"), ("C", "tnf", "<", "tonic")],
    ),
    "D2 D4 strength without mass": (
        {"tonic": [For(72, {}, TONIC)], "uncoupled": [For(72, {"dantrolene": "10 uM"}, TONIC)],
         "withdrawn": [For(24, {}, TONIC), For(48)]},
        [("C", "uncoupled", "<", "tonic"), ("D", "uncoupled", "=", "tonic"),
         ("SS", "uncoupled", "<", "tonic"), ("SS", "withdrawn", "<", "tonic"),
         ("R", "withdrawn", "<", "tonic")],
    ),
    "S01 age, insult, medium, impulses": (
        {"sham": [For(72)], "tonic": [For(72, {}, TONIC)], "tnf": [For(72, TNF)],
         "low": [For(72, medium=LOW_AA)]},
        [("D", "tonic", ">", "sham"), ("D", "tnf", "<", "sham"), ("D", "low", "<", "sham"),
         ("C", "tonic", ">", "sham")],
    ),
    "S03 uncoupling": (
        {"vehicle": [For(48, {}, TONIC)], "dantrolene": [For(48, {"dantrolene": "10 uM"}, TONIC)],
         "nifedipine": [For(48, {"nifedipine": "5 uM"}, TONIC)],
         "egta": [For(48, {"EGTA": "1.5 mM"}, TONIC)],
         "low-ca": [For(48, {}, TONIC, medium={"calcium": 0.11})]},
        [(q, arm, sign, "vehicle") for arm in ("dantrolene", "nifedipine", "egta", "low-ca")
         for q, sign in (("C", "<"), ("CT", ">"), ("D", "="))],
    ),
    "S04 phasic withdrawn": (
        {"kept": [For(96, {}, PHASIC)], "withdrawn": [For(48, {}, PHASIC), For(48)]},
        [("D90", "withdrawn", "<", "kept"), ("R", "withdrawn", "<", "kept"),
         ("D90/D", "withdrawn", "<", "kept")],
    ),
    "S08 withdraw all": (
        {"kept": [For(96, NERVE, TONIC)], "factors": [For(24, NERVE, TONIC), For(72, {}, TONIC)],
         "impulses": [For(24, NERVE, TONIC), For(72, NERVE)],
         "all": [For(24, NERVE, TONIC), For(72)]},
        [("D", "all", "<", "factors"), ("D", "factors", "<", "kept"),
         ("D", "impulses", "<", "kept"), ("pyknotic", "all", ">", "kept"),
         ("X", "all", ">", "kept"), ("N", "all", "<", "kept")],
    ),
    "S09 clusters": (
        {"vehicle": [For(72)], "agrin": [For(72, AGRIN)], "bdnf": [For(72, {**AGRIN, **BDNF})],
         "anti": [For(72, {**AGRIN, "anti-TrkB": "1 ug/mL"})]},
        [("clusters", "agrin", ">", "vehicle"), ("clusters", "bdnf", "<", "agrin"),
         ("clusters", "anti", ">", "agrin")],
    ),
    "S10 TrkB": (
        {"vehicle": [For(72)], "bdnf": [For(72, BDNF)], "nt45": [For(72, NT4)],
         "both": [For(72, {**BDNF, **NT4})], "blocked": [For(72, {**BDNF, **FC})],
         "fc": [For(72, FC)]},
        [(q, *rest) for q in "DC" for rest in (
            ("bdnf", ">", "vehicle"), ("nt45", ">", "vehicle"), ("both", ">", "bdnf"),
            ("blocked", "<", "bdnf"), ("blocked", "=", "vehicle"), ("fc", "=", "vehicle"))],
    ),
    "S11 proBDNF": (
        {"vehicle": [For(72)], "bdnf": [For(72, BDNF)], "pro": [For(72, {"proBDNF": "50 ng/mL"})],
         "p75i": [For(72, {"proBDNF": "50 ng/mL", "LM11A-31": "100 nM"})]},
        [("D", "bdnf", ">", "vehicle"), ("D", "pro", "<", "vehicle"), ("D", "p75i", ">", "pro")],
    ),
    "S12 low flow": (
        {"full": [For(72)], "low": [For(72, freshness=0.8)], "nerve": [For(72, NERVE)],
         "low-nerve": [For(72, NERVE, freshness=0.8)]},
        [("D", "low", "<", "full"), ("C", "low", "<", "full"), ("D", "low-nerve", "<", "nerve"),
         ("X", "low", ">", "full")],
    ),
    "S13 mitochondria": (
        {"vehicle": [For(72)], "antimycin": [For(72, {"antimycin-A": "100 nM"})],
         "oligomycin": [For(72, {"oligomycin": "100 nM"})]},
        [("F", "antimycin", "<", "vehicle", 6), ("D", "antimycin", "=", "vehicle", 3),
         ("F", "oligomycin", "<", "vehicle", 6), ("D", "antimycin", "<", "vehicle"),
         ("C", "antimycin", "<", "vehicle")],
    ),
    "S14 peroxide": (
        {"vehicle": [For(72)], "hit": [For(26), hit(), For(45)],
         "pre": [For(24, {}, TONIC), For(2), hit(), For(45)],
         "nac": [For(26, NAC), hit(NAC), For(45, NAC)]},
        [("D", "hit", "<", "vehicle"), ("X", "hit", ">", "vehicle"), ("D", "pre", ">", "hit"),
         ("X", "pre", "<", "hit"), ("D", "nac", ">", "hit"), ("X", "nac", "<", "hit"),
         ("pyknotic", "hit", ">", "vehicle", 30)],
    ),
    "S16 TNF post": (
        {"vehicle": [For(72)], "low": [For(72, {"TNF-alpha": "5 ng/mL"})], "high": [For(72, TNF)]},
        [("D", "low", "<", "vehicle"), ("D", "high", "<", "low")],
    ),
    "S17 IL-6": (
        {"vehicle": [For(72)], "continuous": [For(72, {"IL-6": "10 ng/mL"})],
         "pulse": [For(2, IL6), For(22)] * 3},
        [("D", "continuous", "<", "vehicle"), ("D", "pulse", ">", "vehicle"),
         ("C", "continuous", "<", "vehicle")],
    ),
    "S18 myostatin": (
        {"vehicle": [For(72)], "mstn": [For(72, {"MSTN": "100 ng/mL"})],
         "mstn-fst": [For(72, {"MSTN": "100 ng/mL", **FST})], "tnf": [For(72, TNF)],
         "tnf-fst": [For(72, {**TNF, **FST})]},
        [("D", "mstn", "<", "vehicle"), ("D", "mstn-fst", ">", "mstn"),
         ("D", "tnf-fst", ">", "tnf"), ("D", "tnf-fst", "<", "vehicle")],
    ),
    "S20 nuclear loss": (
        {"vehicle": [For(72)], "lost": [For(72, {"staurosporine": "50 nM"})]},
        [("N", "lost", "<", "vehicle"), ("per_tube", "lost", "<", "vehicle"),
         ("D", "lost", "<", "vehicle"), ("pyknotic", "lost", ">", "vehicle")],
    ),
    "S27 heat": (
        {"vehicle": [For(72)], "hit": [For(26), hit(), For(45)],
         "heat": [For(24), For(1, temperature_c=41.5), For(1), hit(), For(45)],
         "heat-alone": [For(24), For(1, temperature_c=41.5), For(47)]},
        [("D", "heat", ">", "hit"), ("X", "heat", "<", "hit"), ("D", "heat-alone", "=", "vehicle")],
    ),
    "S28 amino acids": (
        {"normal": [For(96)], "low": [For(96, medium=LOW_AA)],
         "leucine": [For(24, medium=LOW_AA), For(72, LEUCINE, medium=LOW_AA)],
         "fed": [For(24, medium=LOW_AA), For(72)]},
        [("D", "low", "<", "normal"), ("D", "leucine", ">", "low"), ("D", "fed", ">", "leucine")],
    ),
    "S29 disuse": (
        {"go-on": [For(120, {}, TONIC)], "stop": [For(48, {}, TONIC), For(72)],
         "never": [For(120)], "ttx": [For(48, {}, TONIC), For(72, {"TTX": "1 uM"}, TONIC)],
         "bts": [For(48, {}, TONIC), For(72, {"BTS": "20 uM"}, TONIC)]},
        [("D", "stop", "<", "go-on"), ("D", "stop", "<", "never"), ("D", "ttx", "=", "stop"),
         ("C", "bts", "<", "go-on"), ("D", "bts", ">", "stop"), ("C", "stop", "<", "go-on")],
    ),
    "S30 dose": (
        {"0": [For(72)], "60": [For(72, {}, TONIC, 0.65)], "85": [For(72, {}, TONIC, 0.9)],
         "100": [For(72, {}, TONIC, 1.0)]},
        [("D", "60", ">", "0"), ("D", "85", ">", "60"), ("D", "100", ">", "85"),
         ("R", "100", ">", "85")],
    ),
    "S32 S33 tails": (
        {"both": [For(72, {}, BOTH)], "tonic": [For(72, {}, TONIC)],
         "phasic": [For(72, {}, PHASIC)]},
        [("D90", "tonic", "<", "both"), ("R", "tonic", "<", "both"), ("D10", "phasic", "<", "both"),
         ("F", "phasic", "<", "both")],
    ),
    "S34 S35 pattern and type": (
        {"silent": [For(72)], "tonic": [For(72, {}, TONIC)], "phasic": [For(72, {}, PHASIC)]},
        [("R", "phasic", ">", "tonic"), ("half_relaxation", "phasic", "<", "tonic"),
         ("F", "tonic", ">", "phasic"), ("C", "phasic", ">", "silent"),
         ("myogenin", "tonic", "<", "silent")],
    ),
    "S37 the tubes' own NT-4": (
        {"sham": [For(72)], "tonic": [For(72, {}, TONIC)], "tonic-fc": [For(72, FC, TONIC)],
         "fc": [For(72, FC)]},
        [("nt4", "tonic", ">", "sham"), ("D", "tonic-fc", "<", "tonic"),
         ("D", "tonic-fc", ">", "sham"), ("D", "fc", "=", "sham")],
    ),
    "S40 neurotrypsin": (
        {"vehicle": [For(96)], "agrin": [For(96, AGRIN)],
         "cleaved": [For(24, AGRIN), For(72, {**AGRIN, **NEUROTRYPSIN})]},
        [(q, "cleaved", "<", "agrin") for q in ("clusters", "C", "D")],
    ),
    "S43 less glucose": (
        {"normal": [For(72)], "less": [For(72, medium=LESS_GLUCOSE)],
         "hit": [For(48), hit(), For(23)],
         "less-hit": [For(48, medium=LESS_GLUCOSE), hit(medium=LESS_GLUCOSE),
                      For(23, medium=LESS_GLUCOSE)]},
        [("D", "less", "=", "normal"), ("X", "less-hit", "<", "hit")],
    ),
    "S46 losartan": (
        {"vehicle": [For(72)], "losartan": [For(72, {"losartan": "10 uM"})], "tnf": [For(72, TNF)],
         "both": [For(72, {**TNF, "losartan": "10 uM"})]},
        [("D", "losartan", "=", "vehicle"), ("D", "both", "=", "tnf")],
    ),
    "S47 C26": (
        {"vehicle": [For(72)], "cm": [For(72, CM)],
         "bay": [For(72, {**CM, "BAY11-7082": "5 uM"})],
         "mg132": [For(72, {**CM, "MG132": "0.5 uM"})],
         "control": [For(72, {"control-CM": "33 %"})]},
        [("D", "cm", "<", "vehicle"), ("D", "bay", ">", "cm"), ("D", "mg132", ">", "cm"),
         ("D", "control", "=", "vehicle")],
    ),
    "S48 factorial": (
        {"nta": [For(72, NERVE, TONIC)], "n": [For(72, NERVE)], "t": [For(72, {}, TONIC)],
         "m": [For(72, {**NERVE, **TNF}, TONIC)]},
        [("D", "n", "<", "nta"), ("D", "t", "<", "nta"), ("D", "m", "<", "nta")],
    ),
}  # fmt: skip
"""At day 5.5."""

YOUNG_ROWS = {
    "S15 NO donor": (
        {"vehicle": [For(96)], "donor": [For(96, {"DETA-NO": "250 uM"})],
         "lname": [For(96, {"L-NAME": "1 mM"})]},
        [("FI", "donor", "<", "vehicle"), ("D", "donor", "<", "vehicle"),
         ("FI", "lname", "=", "vehicle")],
    ),
    "S16 TNF pre": (
        {"vehicle": [For(192)], "low": [For(72, {"TNF-alpha": "5 ng/mL"}), For(120)],
         "high": [For(72, TNF), For(120)]},
        [("FI", "low", "<", "vehicle"), ("FI", "high", "<", "low"),
         ("unfused", "high", ">", "vehicle")],
    ),
    "S22 sex hormones": (
        {"vehicle": [For(120)], **{name: [For(120, {name: amount})] for name, amount in
         (("testosterone", "100 nM"), ("DHT", "100 nM"), ("estradiol", "10 nM"))}},
        [(q, name, ">", "vehicle") for q in ("D", "FI")
         for name in ("testosterone", "DHT", "estradiol")],
    ),
    "S23 IGF": (
        {"vehicle": [For(120)], "igf1": [For(120, IGF)],
         "igf2": [For(120, {"IGF-2": "100 ng/mL"})]},
        [("D", "igf1", ">", "vehicle"), ("per_tube", "igf1", ">", "vehicle"),
         ("FI", "igf1", ">", "vehicle"), ("N", "igf2", ">", "vehicle"),
         ("D", "igf2", "=", "vehicle")],
    ),
    "S24 MGF": (
        {"vehicle": [For(48, medium=GROWTH), For(96)],
         "mgf": [For(48, {"MGF-E": "100 ng/mL"}, medium=GROWTH), For(96)]},
        [("N", "mgf", ">", "vehicle", 48), ("FI", "mgf", ">", "vehicle")],
    ),
    "S25 CNTF before and after fusion": (
        {"vehicle": [For(192)], "pre": [For(72, CNTF), For(120)],
         "post": [For(120), For(72, CNTF)]},
        [("FI", "pre", "<", "vehicle"), ("D", "post", ">", "vehicle"),
         ("C", "post", ">", "vehicle"), ("FI", "post", "=", "vehicle")],
    ),
}  # fmt: skip
"""At day 0.5: before fusion."""


def answered(arms, days):
    """Readings of all arms of a row."""
    return {name: history(*stretches, days=days) for name, stretches in arms.items()}


assert read_responses().known_as("TNF-a"), "the table above names what the culture knows"
