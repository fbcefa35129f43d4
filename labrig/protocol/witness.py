"""A witness that is not the owner: RFC 3161 time stamps over commitments, and a line to write down.

A time stamp authority signs the hash of a commitment's chain with its own clock: the commitment
cannot have been made later than that. Tokens lie in ``<protocol>.witness.jsonl``, a line each, and
are verified without a network. Where there is no network, a short line goes into the bench book.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import ssl
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

WITNESS_NAME = "witness.jsonl"
_TIMEOUT_S = 20.0
_MOST_BYTES = 1 << 20
_LINE_DIGITS, _GROUP = 32, 4


class NotWitnessed(Exception):
    """There is no time stamp; the message says why."""


@dataclass(frozen=True, slots=True)
class Token:
    """One time stamp, as it was answered.

    Attributes:
        chain: of the commitment that was stamped.
        url: whom it was asked of.
        response: the authority's answer (DER), base64.
    """

    chain: str
    url: str
    response: str


@dataclass(frozen=True, slots=True)
class Witness:
    """What a token says once it was checked.

    Attributes:
        at: the authority's time; None where the token cannot be read or is about another chain.
        authority: its name, as its certificate has it.
        trusted: whether the signature leads to a root that is known here.
        fault: why not; "" where it does.
    """

    at: datetime | None
    authority: str
    trusted: bool
    fault: str = ""


def witness_path(protocol_path: Path) -> Path:
    """``night.yaml`` -> ``night.witness.jsonl`` in the same folder."""
    return protocol_path.with_suffix(f".{WITNESS_NAME}")


def ask_for_stamp(url: str, chain: str) -> Token:
    """Have an authority stamp the chain of a commitment.

    Args:
        url: of the authority, http or https.
        chain: of the commitment.

    Raises:
        NotWitnessed: it cannot be reached, refuses, or answers something else.
    """
    from rfc3161_client import TimestampRequestBuilder
    from rfc3161_client.base import HashAlgorithm

    if urlsplit(url).scheme not in ("http", "https"):
        raise NotWitnessed(f"{url!r} is no address of a time stamp authority (http or https)")
    asked = TimestampRequestBuilder(data=chain.encode(), hash_algorithm=HashAlgorithm.SHA256)
    question = asked.build()
    request = urllib.request.Request(
        url, data=question.as_bytes(), headers={"Content-Type": "application/timestamp-query"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            content = answer.read(_MOST_BYTES)
    except (OSError, urllib.error.URLError, ValueError) as error:
        raise NotWitnessed(f"{url} does not answer ({error})") from None
    token = Token(chain, url, base64.b64encode(content).decode())
    stamped = _decoded(token)
    if stamped is None or _imprint(stamped) != _sha256(chain):
        raise NotWitnessed(f"{url} answered something that is no time stamp of this commitment")
    if stamped.tst_info.nonce != question.nonce:
        raise NotWitnessed(f"{url} answered another question (its nonce does not fit)")
    return token


def append_token(path: Path, token: Token) -> None:
    """Put a token into the file beside the protocol, made when missing.

    Raises:
        OSError: the disk refuses.
    """
    with path.open("a", encoding="utf-8", newline="") as stream:
        stream.write(json.dumps(asdict(token)) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def read_tokens(path: Path) -> tuple[Token, ...]:
    """All tokens of a file; none where there is no file. Lines that are none count for nothing."""
    if not path.exists():
        return ()
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            found.append(Token(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return tuple(found)


def check_token(token: Token, roots: Sequence[Certificate]) -> Witness:
    """What a token witnesses, without asking anybody.

    Args:
        token: as it was stored.
        roots: certificates of authorities that are trusted.
    """
    from rfc3161_client import VerificationError, VerifierBuilder

    stamped = _decoded(token)
    if stamped is None:
        return Witness(None, "", trusted=False, fault="the token cannot be read")
    at, who = stamped.tst_info.gen_time, _authority(stamped)
    if _imprint(stamped) != _sha256(token.chain):
        return Witness(None, who, trusted=False, fault="the token is about something else")
    if not roots:
        return Witness(at, who, trusted=False, fault="no authority is known here")
    verifier = VerifierBuilder(roots=list(roots)).build()
    try:
        verifier.verify_message(stamped, token.chain.encode())
    except (VerificationError, ValueError) as error:
        return Witness(at, who, trusted=False, fault=str(error).splitlines()[0])
    return Witness(at, who, trusted=True)


def known_roots(files: Iterable[Path] = ()) -> list[Certificate]:
    """Certificates of the authorities that this computer trusts, and those in these files (PEM).

    Raises:
        OSError: a file cannot be read.
        ValueError: it holds no certificate.
    """
    from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificates

    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for der in ssl.create_default_context().get_ca_certs(binary_form=True):
            try:
                found.append(load_der_x509_certificate(der))
            except (ValueError, Warning):
                continue  # a root that breaks RFC 5280 is not trusted
    for file in files:
        found += load_pem_x509_certificates(file.read_bytes())
    return found


def bench_line(protocol: str, number: int, chain: str) -> str:
    """A commitment in one line that a person can copy by hand: 32 digits of its chain."""
    digits = chain[:_LINE_DIGITS]
    groups = (digits[i : i + _GROUP] for i in range(0, _LINE_DIGITS, _GROUP))
    return f"{protocol} no. {number}: {' '.join(groups)}"


def fault_in_line(line: str, chain: str) -> str:
    """Where a line that somebody typed from the bench book differs from a chain; "" nowhere.

    What stands before the last colon, spaces, hyphens and case do not count.
    """
    typed = "".join(c for c in line.rpartition(":")[2].casefold() if c not in " -\t.\u00a0")
    if not typed or any(c not in "0123456789abcdef" for c in typed):
        return "it holds other characters than 0-9 and a-f after its colon"
    if len(typed) != _LINE_DIGITS:
        return f"it has {len(typed)} digits, {_LINE_DIGITS} are written down"
    for group in range(_LINE_DIGITS // _GROUP):
        there = slice(group * _GROUP, (group + 1) * _GROUP)
        if typed[there] != chain[there]:
            return f"group {group + 1} is {typed[there]}, the commitment's is {chain[there]}"
    return ""


def _decoded(token: Token) -> TimeStampResponse | None:
    from rfc3161_client import decode_timestamp_response

    try:
        stamped = decode_timestamp_response(base64.b64decode(token.response, validate=True))
        stamped.tst_info.gen_time  # noqa: B018 - refused ones have none
    except (ValueError, binascii.Error):
        return None
    return stamped


def _imprint(stamped: TimeStampResponse) -> bytes:
    return bytes(stamped.tst_info.message_imprint.message)


def _sha256(chain: str) -> bytes:
    return hashlib.sha256(chain.encode()).digest()


def _authority(stamped: TimeStampResponse) -> str:
    """Of the certificate in the token that signs time; its subject in full where it has no name."""
    from cryptography.x509 import (
        ExtendedKeyUsage,
        ExtensionNotFound,
        NameOID,
        load_der_x509_certificate,
    )
    from cryptography.x509.oid import ExtendedKeyUsageOID

    for der in stamped.signed_data.certificates:
        certificate = load_der_x509_certificate(der)
        try:
            usage = certificate.extensions.get_extension_for_class(ExtendedKeyUsage).value
        except ExtensionNotFound:
            continue
        if ExtendedKeyUsageOID.TIME_STAMPING in usage:
            names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            return str(names[0].value) if names else certificate.subject.rfc4514_string()
    return "an authority that names itself nowhere"
