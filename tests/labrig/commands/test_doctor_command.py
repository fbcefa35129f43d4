"""``labrig doctor`` at a bench: who answers, what is missing, and setting a new syringe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from ruamel.yaml import YAML
from typer.testing import CliRunner

from labrig.commands.doctor import doctor
from labrig_drivers import new_era
from labrig_drivers.errors import NotNow
from labrig_drivers.hosting import SharedBus, host_on_tcp
from labrig_drivers.new_era.settings import NewEraSettings
from labrig_drivers.simulated_faults import FaultSchedule
from labrig_drivers.simulation import Fault, StillPump

EXAMPLE = Path(__file__).parents[3] / "protocols" / "rigs" / "example-bench.yaml"
DELIVERED_MM = 26.59


@pytest.fixture
def hosted():
    """Six pumps, as they come out of their boxes: set to a 60 mL syringe."""
    return [
        new_era.INSTRUMENT.simulator(
            NewEraSettings(address=address, syringe_diameter_mm=DELIVERED_MM),
            StillPump(), 0, (), f"pump {address}",
        )
        for address in range(6)
    ]  # fmt: skip


@pytest.fixture
def pumps(hosted):
    """The address of the line that they are on."""
    with host_on_tcp(SharedBus(hosted)) as port:
        yield port.address


@pytest.fixture
def rig(tmp_path, pumps):
    """The example of a bench, with its syringe pumps there and nothing else."""
    data = YAML(typ="safe").load(EXAMPLE.read_text(encoding="utf-8"))
    for name, port in data["ports"].items():
        port["address"] = pumps if name == "syringes" else f"/dev/no-{name}"
    path = tmp_path / "bench.yaml"
    with path.open("w", encoding="utf-8") as file:
        YAML().dump(data, file)
    return path


def run(*arguments):
    app = typer.Typer()
    app.command()(doctor)
    return CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "100"})


def instruments(result):
    document = json.loads(result.stdout)
    return {row["instrument"]: row for row in document["instruments"]}


def test_a_new_syringe_is_named_and_set_by_the_command_that_the_remedy_gives(rig):
    before = run(rig, "--json")
    assert before.exit_code == 5
    wrong = instruments(before)["nerve_2"]
    assert "26.59 mm, the rig file says 14.43 mm" in wrong["problem"]
    assert "labrig doctor RIG --configure nerve_2" in wrong["remedy"]

    after = instruments(run(rig, "--configure", "nerve_2", "--json"))
    assert after["nerve_2"]["problem"] == ""
    assert after["nerve_2"]["answers"].startswith("New Era NE-1000")
    assert "26.59 mm" in after["nerve_3"]["problem"], "a pump was set that nobody named"


def test_a_missing_port_is_told_once_with_all_that_is_on_it(rig):
    text = rig.read_text(encoding="utf-8").replace("socket://", "/dev/no-chain-")
    rig.write_text(text, encoding="utf-8")
    result = run(rig)
    assert result.exit_code == 5
    said = " ".join(result.output.split())
    assert said.count("there is no port /dev/no-chain-") == 1
    assert "nerve_1, nerve_2, nerve_3, nerve_4, nerve_5, nerve_6: there is no port" in said


@pytest.mark.parametrize(
    ("name", "said"),
    [("nerve_9", "no instrument 'nerve_9'"), ("nobody", "nerve_1")],
)
def test_an_unknown_name_lists_those_there_are(rig, name, said):
    result = run(rig, "--configure", name)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_a_running_pump_is_not_set(rig, pumps, monkeypatch):
    monkeypatch.setattr(
        new_era.driver.NewEraPump, "_ask", lambda pump, command: new_era.codec.Reply(
            False, 0, "I", None, None, ""
        )
    )  # fmt: skip
    assert isinstance(run(rig, "--configure", "nerve_1").exception, NotNow)


def test_asking_leaves_pumps_in_the_mode_they_were_found_in(rig, hosted):
    """In Safe mode they would stop by themselves and be deaf to whoever speaks Basic."""
    run(rig, "--configure", "nerve_1", "--json")
    for pump in hosted:
        pump._safe_s, pump._watchdog_from_s = 0, None
    run(rig, "--json")
    assert [pump._safe_s for pump in hosted] == [0] * 6
    for pump in hosted:
        pump._safe_s = 77
    run(rig, "--json")
    assert [pump._safe_s for pump in hosted] == [77] * 6


@pytest.mark.parametrize(
    ("address", "problem", "remedy"),
    [
        ("socket://127.0.0.1", "names no port", "socket://HOST:PORT"),
        ("socket://:4001", "names no host", "socket://HOST:PORT"),
        ("socket://127.0.0.1:x", "makes no sense", "socket://HOST:PORT"),
        ("/tmp", "/tmp", "rig file"),
        ("/dev/null", "/dev/null", "rig file"),
    ],
)
def test_an_address_that_is_no_port_says_how_to_write_one(rig, pumps, address, problem, remedy):
    rig.write_text(rig.read_text(encoding="utf-8").replace(pumps, address), encoding="utf-8")
    result = run(rig, "--json")
    assert result.exit_code == 5, result.output
    wrong = instruments(result)["nerve_2"]
    assert problem in wrong["problem"]
    assert remedy in wrong["remedy"]


def test_silence_and_garbage_name_the_line_and_a_swap(rig, hosted):
    for pump in hosted:
        pump._faults = FaultSchedule([Fault("silent", 0.0)], {"silent"}, "pump")
    silent = instruments(run(rig, "--json"))["nerve_2"]
    assert "19200 baud, 8N1" in silent["remedy"]
    assert "another instrument is on this port" in silent["remedy"]
