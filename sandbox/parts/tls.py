"""The certificate of the Redshift endpoint: redshift_connector's IAM login insists on TLS and on its chain.

The certificate signs itself, names 127.0.0.1, localhost, SANDBOX_REDSHIFT_HOST and SANDBOX_AWS_HOST, and is
made once, or anew when these names change. It is no authority: whoever gets hold of its key can sign no
certificate that those who trust this one would take (RFC 5280, 4.2.1.9). Who should trust it gets it in
SSL_CERT_FILE, together with whatever that file held before.
"""

import contextlib
import datetime as dt
import ipaddress
import os
import re
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.parts.settings import LOOPBACK, Settings

_YEARS = 10
_NAME = "sandbox Redshift endpoint"
_SUBJECT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
# What `openssl x509 -hash` says of _SUBJECT: the name under which OpenSSL looks for it in a folder.
_HASHED = "0d9b7782.0"
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n*", re.DOTALL)


def server_context(settings: Settings) -> ssl.SSLContext:
    """The endpoint's side of TLS; its certificate is made when it is missing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_ensure(settings))
    return context


def trust_file(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """A file of certificates to trust: those trusted so far, and the endpoint's.

    Python and OpenSSL read it from SSL_CERT_FILE. A folder of certificates they read beside it stays in use.
    SANDBOX_TRUST_FILE puts it elsewhere, for others to read.
    """
    given = environ.get("SANDBOX_TRUST_FILE")
    bundle = Path(given) if given else _folder(settings) / "trusted.pem"
    own = _certificate_of(_ensure(settings).read_text())
    before = Path(environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().openssl_cafile)
    text = own
    with contextlib.suppress(OSError):
        text += "\n" + _without_ours(before.read_text())
    _write(bundle, text)
    return bundle


def trust_folders(settings: Settings, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables by which the same is trusted from folders, of which OpenSSL reads what it looks for.

    A file it reads whole for each connection: 18 ms where it is a machine's bundle. Empty where no folder
    holds what the file does. SSL_CERT_FILE may not be left out, as OpenSSL has a file of its own then, nor
    name another: httpx trusts that file alone, but takes the folders where the variable is empty.
    """
    default = ssl.get_default_verify_paths()
    folders = environ.get("SSL_CERT_DIR") or default.openssl_capath
    held: set[str] = set()
    for folder in folders.split(os.pathsep):
        held.update(*(_read(path) for path in Path(folder).glob("*.[0-9]")))
    wanted = _read(Path(environ.get("SSL_CERT_FILE") or default.openssl_cafile))
    if not {one for one in wanted if not _is_ours(one)} <= held:  # `trust_file` may have put ours there
        return {}
    certificate, own = _certificate_of(_ensure(settings).read_text()), _folder(settings) / "trusted"
    own.mkdir(mode=0o700, exist_ok=True)
    _write(own / _HASHED, certificate)
    return {"SSL_CERT_FILE": "", "SSL_CERT_DIR": os.pathsep.join([str(own), folders])}


def _read(path: Path) -> set[str]:
    """The certificates of a file, none where it cannot be read."""
    try:
        return {match[0].strip() for match in _CERTIFICATE.finditer(path.read_text())}
    except (OSError, ValueError):
        return set()


def _without_ours(bundle: str) -> str:
    """The bundle without any endpoint's certificate of an earlier time, which may have been an authority."""
    return _CERTIFICATE.sub(lambda match: "" if _is_ours(match[0]) else match[0], bundle)


def _is_ours(pem: str) -> bool:
    try:
        return _NAME.encode() in ssl.PEM_cert_to_DER_cert(pem)
    except ValueError:  # what others trust is none of our business
        return False


def _folder(settings: Settings) -> Path:
    return settings.home / "tls"


def _ensure(settings: Settings) -> Path:
    """The file of key and certificate."""
    path = _folder(settings) / "endpoint.pem"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(path, _make(settings), replaces=False)
    if not _is_good(path, settings):
        _write(path, _make(settings))
    return path


def _is_good(path: Path, settings: Settings) -> bool:
    """Whether the certificate has the names by which the endpoint is reached now, and is no authority."""
    certificate = x509.load_pem_x509_certificate(_certificate_of(path.read_text()).encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    return set(_names(settings)) <= set(names) and not constraints.ca


def _make(settings: Settings) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_SUBJECT)
        .issuer_name(_SUBJECT)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName(_names(settings)), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (private + certificate.public_bytes(serialization.Encoding.PEM)).decode()


def _names(settings: Settings) -> list[x509.GeneralName]:
    # Clusters are reached at the AWS API server's address.
    hosts = (LOOPBACK, "localhost", settings.redshift_host, settings.aws_host)
    return [_name(host) for host in dict.fromkeys(hosts)]


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _certificate_of(text: str) -> str:
    return text[text.index("-----BEGIN CERTIFICATE-----") :]


def _write(path: Path, text: str, *, replaces: bool = True) -> None:
    """Write a private file at once; one that is there stays unless it is to be replaced."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
        if replaces:
            Path(temporary).replace(path)
            return
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)
