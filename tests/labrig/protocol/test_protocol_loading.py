"""Protocol files: what is read from them, and written back the same."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from labrig.catalogue import catalogue_folder
from labrig.documents import canonical_sha256
from labrig.protocol.arms import TargetStep
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol

DEMO = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")


def line_of(text, part):
    return text[: text.index(part)].count("\n") + 1


def test_quantities_become_plain_numbers():
    protocol = load_protocol(catalogue_folder() / "demo-night.yaml").model
    assert protocol.duration_s == 14 * 3600
    assert protocol.stocks["nerve-cocktail"].contents_ng_ml["BDNF"] == 5_000.0
    assert protocol.imaging.interval_s == 1800.0
    assert protocol.rules.late_frame.grace_s == 300.0


def test_a_target_over_time_is_read(tmp_path):
    file = tmp_path / "night.yaml"
    steps = "[{at: 0 s, concentration: 10 ng/mL}, {at: 3 h, concentration: 0 ng/mL}]"
    file.write_text(DEMO.replace("{CNTF: 10 ng/mL,", f"{{CNTF: {steps},", 1), encoding="utf-8")
    target = load_protocol(file).model.arms["nerve-tonic"].targets["CNTF"]
    assert target == (
        TargetStep.model_construct(at_s=0.0, concentration_ng_ml=10.0),
        TargetStep.model_construct(at_s=10_800.0, concentration_ng_ml=0.0),
    )


def test_findings_can_cite_lines():
    loaded = load_protocol(catalogue_folder() / "demo-night.yaml")
    assert loaded.line_of("arms.nerve-tonic.pattern") == (line_of(DEMO, "  nerve-tonic:") + 2)
    assert loaded.line_of("arms.nerve-tonic.note") == line_of(DEMO, "  nerve-tonic:")
    assert loaded.line_of("nothing.here") == 1
    assert loaded.cite("plate") == f"demo-night.yaml:{line_of(DEMO, 'plate: 24')} plate"


def test_the_hash_ignores_formatting_and_sees_content(tmp_path):
    def sha(text):
        file = tmp_path / "x.yaml"
        file.write_text(text, encoding="utf-8")
        return load_protocol(file).sha256

    first = sha(DEMO)
    assert sha(DEMO.replace("interval: 30 min", "interval: 0.5 h # half an hour")) == first
    assert sha(DEMO.replace("sites: 1 ", "sites: 2 ")) != first
    data = YAML(typ="safe").load(DEMO)
    upside_down = dict(reversed(data.items()))
    with (tmp_path / "y.yaml").open("w", encoding="utf-8") as stream:
        YAML(typ="safe").dump(upside_down, stream)
    assert load_protocol(tmp_path / "y.yaml").sha256 == first


@settings(max_examples=25, deadline=None)
@given(
    interval_s=st.floats(1, 1e5),
    amplitude_v=st.floats(0, 60),
    concentration=st.floats(0, 1e5),
    seed=st.integers(0, 2**63),
    text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40),
)
def test_a_protocol_written_as_yaml_is_read_back_the_same(
    tmp_path_factory, interval_s, amplitude_v, concentration, seed, text
):
    data = YAML(typ="safe").load(DEMO)
    data["imaging"]["interval"] = f"{interval_s!r} s"
    data["patterns"]["sham"]["amplitude"] = f"{amplitude_v!r} V"
    data["arms"]["nerve-sham"]["targets"]["CNTF"] = f"{concentration!r} ng/mL"
    data["randomisation"]["seed"] = seed
    data["purpose"] = text
    protocol = Protocol.model_validate(data)
    file = tmp_path_factory.mktemp("round") / "p.yaml"
    with file.open("w", encoding="utf-8") as stream:
        YAML(typ="safe").dump(protocol.model_dump(mode="json", by_alias=True), stream)

    loaded = load_protocol(file)

    assert loaded.model == protocol
    assert loaded.sha256 == canonical_sha256(protocol)


def test_a_relative_path_is_kept_as_given(monkeypatch):
    monkeypatch.chdir(catalogue_folder())
    assert load_protocol(Path("demo-night.yaml")).path == Path("demo-night.yaml")
