"""Time stamps over commitments, by an authority that the test makes; and the bench book's line."""

import base64
import http.server
import json
import shutil
import subprocess
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from labrig.catalogue import catalogue_folder
from labrig.commands.mounted import app
from labrig.protocol.commitment import commit
from labrig.protocol.commitment_file import read_commitment
from labrig.protocol.witness import (
    NotWitnessed,
    append_token,
    ask_for_stamp,
    bench_line,
    check_token,
    fault_in_line,
    known_roots,
    read_tokens,
    witness_path,
)

CHAIN = "0123456789abcdef" * 4
TEXT = (catalogue_folder() / "nerve-factor-factorial.yaml").read_text(encoding="utf-8")
needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl makes the authority, and is not installed"
)
CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Test Stamps
[root_ext]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, digitalSignature
subjectKeyIdentifier = hash
[tsa_ext]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = tsa1
[tsa1]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def openssl(folder, *arguments, content=None):
    return subprocess.run(
        ["openssl", *arguments], cwd=folder, check=True, capture_output=True, input=content
    ).stdout


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A root and a certificate that may stamp; gives the folder of both."""
    folder = tmp_path_factory.mktemp("authority")
    (folder / "c.cnf").write_text(CONFIG, encoding="utf-8")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-config",
           "c.cnf")  # fmt: skip
    openssl(folder, "req", "-x509", *new, "-keyout", "root.key", "-out", "root.pem", "-subj",
            "/CN=Test Root", "-extensions", "root_ext", "-days", "3650")  # fmt: skip
    openssl(folder, "req", *new, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj",
            "/CN=Test Stamps")  # fmt: skip
    openssl(folder, "x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key",
            "-CAcreateserial", "-out", "tsa.pem", "-extfile", "c.cnf", "-extensions", "tsa_ext",
            "-days", "3650")  # fmt: skip
    return folder


class Answers(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        query = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.answer(query)
        self.send_response(200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        """Nothing to be said."""


@pytest.fixture
def serve():
    """Gives the address of a server that answers as it is told."""
    servers = []

    def start(answer):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        server.answer = answer
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def stamps(authority, serve, tmp_path):
    """Address of the test's authority."""

    def answer(query):
        (tmp_path / "q.tsq").write_bytes(query)
        openssl(authority, "ts", "-reply", "-config", "c.cnf", "-queryfile",
                str(tmp_path / "q.tsq"), "-signer", "tsa.pem", "-inkey", "tsa.key",
                "-out", str(tmp_path / "r.tsr"))  # fmt: skip
        return (tmp_path / "r.tsr").read_bytes()

    return serve(answer)


@needs_openssl
def test_a_stamp_is_verified_without_asking_anybody(stamps, authority, tmp_path):
    token = ask_for_stamp(stamps, CHAIN)
    append_token(tmp_path / "w.jsonl", token)
    [kept] = read_tokens(tmp_path / "w.jsonl")
    roots = known_roots([authority / "root.pem"])
    found = check_token(kept, roots)
    assert (found.trusted, found.authority, found.fault) == (True, "Test Stamps", "")
    assert abs((found.at - datetime.now(UTC)).total_seconds()) < 60
    without = check_token(kept, known_roots())
    assert (without.trusted, without.at) == (False, found.at)
    assert without.fault


@needs_openssl
def test_a_stamp_of_something_else_witnesses_nothing(stamps, authority):
    token = ask_for_stamp(stamps, CHAIN)
    roots = known_roots([authority / "root.pem"])
    moved = check_token(replace(token, chain="f" * 64), roots)
    assert (moved.at, moved.trusted) == (None, False)
    raw = bytearray(base64.b64decode(token.response))
    raw[-10] ^= 1  # within the signature
    forged = check_token(replace(token, response=base64.b64encode(raw).decode()), roots)
    assert not forged.trusted
    assert check_token(replace(token, response="AAAA"), roots).fault == "the token cannot be read"


@needs_openssl
def test_an_answer_to_another_question_is_refused(stamps, serve):
    old = base64.b64decode(ask_for_stamp(stamps, CHAIN).response)
    again = serve(lambda _: old)
    with pytest.raises(NotWitnessed, match="nonce"):
        ask_for_stamp(again, CHAIN)
    with pytest.raises(NotWitnessed, match="no time stamp of this commitment"):
        ask_for_stamp(again, "a" * 64)


def test_nobody_there_and_nonsense_are_told(serve):
    with pytest.raises(NotWitnessed, match="no time stamp"):
        ask_for_stamp(serve(lambda _: b"<html>busy</html>"), CHAIN)
    with pytest.raises(NotWitnessed, match="does not answer"):
        ask_for_stamp("http://127.0.0.1:9/", CHAIN)
    with pytest.raises(NotWitnessed, match="http or https"):
        ask_for_stamp("file:///etc/passwd", CHAIN)


def test_the_line_of_the_bench_book_is_told_from_others():
    line = bench_line("night", 2, CHAIN)
    assert line == "night no. 2: 0123 4567 89ab cdef 0123 4567 89ab cdef"
    for typed in (line, line.upper(), "0123-4567-89AB-CDEF-0123-4567-89AB-CDEF"):
        assert fault_in_line(typed, CHAIN) == ""
    assert fault_in_line(line.replace("89ab", "89ac", 1), CHAIN) == (
        "group 3 is 89ac, the commitment's is 89ab"
    )
    assert "28 digits, 32" in fault_in_line(line[:-5], CHAIN)
    assert "other characters" in fault_in_line(line.replace("0123", "O123", 1), CHAIN)
    assert fault_in_line("", CHAIN)


@needs_openssl
def test_commit_asks_and_says_no_more_than_it_knows(stamps, tmp_path):
    protocol = tmp_path / "night.yaml"
    protocol.write_text(TEXT, encoding="utf-8")

    def committed(*more):
        arguments = ["commit", str(protocol), *more, "--json"]
        ended = CliRunner().invoke(app, arguments)
        return ended.exit_code, json.loads(ended.stdout.splitlines()[-1])

    status, said = committed("--name", "A. Jansen", "--name", "B. Okoro")
    assert status == 0
    assert "nobody else has witnessed" in said["witness"]
    chain = read_commitment(tmp_path / "night.commitment.json").entries[-1].chain
    assert fault_in_line(said["bench_book"], chain) == ""
    assert not witness_path(protocol).exists()
    status, said = committed("--witness", "http://127.0.0.1:9/")
    assert status == 6
    assert "The commitment stands" in said["witness"]
    status, said = committed("--witness", stamps)
    assert status == 0
    assert "by Test Stamps (RFC 3161)" in said["witness"]
    assert [token.chain for token in read_tokens(witness_path(protocol))] == [chain]


def test_a_second_commitment_is_still_refused(tmp_path):
    protocol = tmp_path / "night.yaml"
    protocol.write_text(TEXT, encoding="utf-8")
    commit(protocol, ("A. Jansen", "B. Okoro"))
    ended = CliRunner().invoke(
        app, ["commit", str(protocol), "--name", "A. Jansen", "--name", "B. Okoro"]
    )
    assert ended.exit_code == 1
    assert "already committed" in ended.output
