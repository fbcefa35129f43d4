"""One substance has many names, and another substance has none of them."""

from __future__ import annotations

import pytest

from labrig.protocol.substances import substance

SAME = {
    "TNF-alpha": ["TNF-a", "TNFa", "TNF-α", "TNFα", "tnf_alpha", "TNF", "rhTNF-alpha", "rmTNFa",
                  "human TNF-alpha", "recombinant human TNFα", "TNF-Alpha"],
    "NT-4/5": ["NT-4", "NT4", "NT-5", "nt4/5", "NTF4", "rhNT-4"],
    "IGF-1": ["IGF1", "IGF-I", "igf-1", "rhIGF-1"],
    "CNTF": ["cntf", "rhCNTF", "rat CNTF", "rCNTF"],
    "BDNF": ["bdnf", "rhBDNF"],
    "leucine": ["Leucine", "L-leucine", "Leu"],
}  # fmt: skip
OTHERS = ["proBDNF", "TNF-beta", "TNFR-Fc", "anti-TNF", "IGF-2", "IGFBP-3", "NT-3", "isoleucine",
          "norleucine", "CNTFR", "TrkB-Fc", "rapamycin", "rTNFR", "H2O2", "dantrolene"]  # fmt: skip


@pytest.mark.parametrize(("usual", "name"), [(u, n) for u, names in SAME.items() for n in names])
def test_names_of_one_substance(usual, name):
    assert substance(name) == usual
    assert substance(usual) == usual


@pytest.mark.parametrize("name", OTHERS)
def test_what_only_sounds_alike_is_another(name):
    assert substance(name) == name
