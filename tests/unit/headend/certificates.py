"""A certificate authority of a test, and servers' certificates that it gives, also bad ones."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR = timedelta(days=36_500)
"""No test of ours is to end with its certificate."""


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass
class Authority:
    """An authority whose certificate is in `file`."""

    folder: Path
    name: str = "test authority"

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = self.folder / "authority.pem"
        made = self._begun(self.name, self._key.public_key(), FAR)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
        ends = dict.fromkeys(("encipher_only", "decipher_only"), False)
        said = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage, **ends)
        made = made.add_extension(said, critical=True)
        made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _begun(self, subject: str, key: ec.EllipticCurvePublicKey, life: timedelta) -> x509.CertificateBuilder:
        begun = x509.CertificateBuilder(_name(self.name), _name(subject), key, x509.random_serial_number())
        return begun.not_valid_before(LONG_AGO).not_valid_after(LONG_AGO + life)

    def server(self, host: str = "localhost", life: timedelta = FAR) -> ssl.SSLContext:
        """What a server of this name runs on; `life` counts from long ago."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._begun(host, key.public_key(), life)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = made.add_extension(issuer, critical=False)
        chain = self.folder / f"{host}.pem"
        plain = serialization.NoEncryption()
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        said = made.sign(self._key, hashes.SHA256()).public_bytes(pem)
        chain.write_bytes(key.private_bytes(pem, form, plain) + said)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context
