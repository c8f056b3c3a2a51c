"""Certificates for servers of tests, made by openssl: each is its own CA, which a test may trust or not."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificate(folder: Path, name: str, *, expired: bool = False) -> tuple[str, str]:
    """The files of a certificate for a name (``IP:…`` or ``DNS:…``) and of its key."""
    certificate, key = (str(folder / f"{name}{'-expired' * expired}.{kind}") for kind in ("pem", "key"))
    make_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key]
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName={name}"]
    life = ["-not_before", "20200101000000Z", "-not_after", "20200102000000Z"] if expired else ["-days", "36500"]
    subprocess.run(
        ["openssl", "req", "-x509", *make_key, *names, *life, "-out", certificate], check=True, capture_output=True
    )
    return certificate, key
