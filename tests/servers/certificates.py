"""Certificates for servers in tests, from an authority made on the spot."""

from __future__ import annotations

import subprocess
from pathlib import Path


class Authority:
    """A certificate authority in a folder, made with the openssl command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate, self.key = folder / "ca.pem", folder / "ca.key"
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(self.key)]
        _openssl("req", "-x509", *key, "-out", str(self.certificate), "-subj", "/CN=test authority", "-days", "2")

    def issue(self, name: str, alternative: str) -> tuple[Path, Path]:
        """Give certificate and key for ``alternative``, such as ``IP:127.0.0.1``."""
        certificate, key, request = (self.folder / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        extension = self.folder / f"{name}.ext"
        extension.write_text(f"subjectAltName={alternative}\n")
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key)]
        _openssl("req", *new, "-out", str(request), "-subj", f"/CN={name}")
        signer = ["-CA", str(self.certificate), "-CAkey", str(self.key), "-CAcreateserial", "-days", "2"]
        _openssl("x509", "-req", "-in", str(request), *signer, "-out", str(certificate), "-extfile", str(extension))
        return certificate, key


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
