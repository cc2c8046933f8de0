"""The endpoint's certificate vouches for the endpoint's names and for nothing else."""

import datetime as dt
import hashlib
import ipaddress
import ssl
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import httpx
import psycopg
import pytest
import redshift_connector
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.parts import tls
from sandbox.parts.settings import Settings

PEM = serialization.Encoding.PEM
# What ssl.create_default_context sets from Python 3.13 on, in numbers that Python 3.11 has, too.
STRICT = ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT


def settings_of(home: Path) -> Settings:
    return Settings(home, 1, 2, "p", "p", "AK", "SK")


def endpoint_file(settings: Settings) -> Path:
    tls.server_context(settings)
    return settings.home / "tls" / "endpoint.pem"


def signed(
    name: str,
    issuer: x509.Certificate | None,
    key: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
    of: str = "sandbox Redshift endpoint",
) -> str:
    """A certificate for `name` and its key; `key` signs it."""
    own = ec.generate_private_key(ec.SECP256R1()) if issuer else key
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, of)])
    try:
        host: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        host = x509.DNSName(name)
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=9))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = own.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (private + made.public_bytes(PEM)).decode()


def shake_hands(server_file: Path, trust: str, host: str, flags: ssl.VerifyFlags) -> None:
    """A whole TLS handshake in memory; raises what the client has against the server."""
    client_side = ssl.create_default_context(cadata=trust)
    client_side.verify_flags |= flags
    greet(server_file, client_side, host)


def greet(server_file: Path, client_side: ssl.SSLContext, host: str) -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(server_file)
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_side.wrap_bio(to_client, to_server, server_hostname=host)
    server = server_side.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(5):
        try:
            client.do_handshake()
            return
        except ssl.SSLWantReadError:
            pass
        with suppress(ssl.SSLWantReadError):
            server.do_handshake()
    raise AssertionError("the handshake does not end")


@pytest.mark.parametrize("flags", [ssl.VerifyFlags(0), STRICT])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_endpoint_is_trusted_under_its_names(tmp_path: Path, host: str, flags: ssl.VerifyFlags):
    settings = settings_of(tmp_path)
    shake_hands(endpoint_file(settings), tls.trust_file(settings, {}).read_text(), host, flags)


@pytest.mark.parametrize("flags", [ssl.VerifyFlags(0), STRICT])
@pytest.mark.parametrize("host", ["example.com", "10.0.0.1", "127.0.0.1"])
def test_whoever_has_its_key_can_vouch_for_nobody(tmp_path: Path, host: str, flags: ssl.VerifyFlags):
    settings = settings_of(tmp_path)
    own = endpoint_file(settings).read_bytes()
    key = serialization.load_pem_private_key(own, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(own)
    forged = tmp_path / "forged.pem"
    forged.write_text(signed(host, issuer, key, ca=False) + issuer.public_bytes(PEM).decode())
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(forged, tls.trust_file(settings, {}).read_text(), host, flags)


def hashed(common_name: str) -> str:
    """The name by which OpenSSL looks for a certificate in a folder: X509_NAME_hash of a CN alone."""
    text = common_name.lower().encode()
    value = b"\x06\x03\x55\x04\x03" + b"\x0c" + bytes([len(text)]) + text
    name = b"\x31" + bytes([len(value) + 2]) + b"\x30" + bytes([len(value)]) + value
    return hashlib.sha1(name, usedforsecurity=False).digest()[3::-1].hex() + ".0"


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The variables of a machine whose file of certificates holds what its folder does: another server's."""
    folder, bundle = tmp_path / "certs", tmp_path / "bundle.pem"
    folder.mkdir()
    other = signed("127.0.0.2", None, ec.generate_private_key(ec.SECP256R1()), ca=False, of="Another server")
    (tmp_path / "other.pem").write_text(other)
    bundle.write_text(other[other.index("-----BEGIN CERTIFICATE") :])
    (folder / hashed("Another server")).write_text(bundle.read_text())
    return {"SSL_CERT_FILE": str(bundle), "SSL_CERT_DIR": str(folder)}


@pytest.mark.parametrize("make", [ssl.create_default_context, httpx.create_ssl_context])
def test_the_endpoint_and_all_that_was_trusted_are_found_in_folders(
    tmp_path: Path,
    machine: dict[str, str],
    make: Callable[[], ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
):
    settings = settings_of(tmp_path / "home")
    for name, value in tls.trust_folders(settings, machine).items():
        monkeypatch.setenv(name, value)
    context = make()
    assert context.get_ca_certs() == []  # nothing is read before it is looked for
    greet(endpoint_file(settings), context, "127.0.0.1")
    greet(tmp_path / "other.pem", context, "127.0.0.2")


def test_a_file_that_the_endpoints_certificate_has_joined_gives_way_to_folders(
    tmp_path: Path, machine: dict[str, str]
):
    settings = settings_of(tmp_path / "home")
    joined = machine | {"SSL_CERT_FILE": str(tls.trust_file(settings, machine))}
    assert tls.trust_folders(settings, joined) == tls.trust_folders(settings, machine) != {}


def test_a_certificate_that_no_folder_holds_keeps_its_file(tmp_path: Path, machine: dict[str, str]):
    bundle = Path(machine["SSL_CERT_FILE"])
    strange = signed("10.0.0.1", None, ec.generate_private_key(ec.SECP256R1()), ca=True, of="A stranger")
    bundle.write_text(bundle.read_text() + strange[strange.index("-----BEGIN CERTIFICATE") :])
    assert tls.trust_folders(settings_of(tmp_path / "home"), machine) == {}


@pytest.mark.parametrize("elsewhere", [False, True])
def test_an_authority_of_an_older_sandbox_is_replaced_and_trusted_no_more(tmp_path: Path, elsewhere: bool):
    settings = settings_of(tmp_path)
    path = endpoint_file(settings)
    old = signed("127.0.0.1", None, ec.generate_private_key(ec.SECP256R1()), ca=True)
    path.write_text(old)
    bundle = tmp_path / "bundle.pem" if elsewhere else tmp_path / "tls" / "trusted.pem"
    other = ssl.get_default_verify_paths().openssl_cafile
    kept = Path(other).read_text() if Path(other).exists() else ""
    certificate = old[old.index("-----BEGIN CERTIFICATE") :]
    bundle.write_text(certificate + "\n" + kept)

    trusted = tls.trust_file(settings, {"SSL_CERT_FILE": str(bundle)}).read_text()

    assert path.read_text() != old
    assert certificate not in trusted
    assert trusted.endswith(kept)
    shake_hands(path, trusted, "127.0.0.1", ssl.VerifyFlags(0))


def test_a_link_in_place_of_the_bundle_is_replaced_and_not_followed(tmp_path: Path):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    bundle = tmp_path / "trusted.pem"
    bundle.symlink_to(precious)
    tls.trust_file(settings_of(tmp_path / "home"), {"SANDBOX_TRUST_FILE": str(bundle)})
    assert precious.read_text() == "mine"
    assert not bundle.is_symlink()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_drivers_verify_it(sandbox: Settings, host: str):
    bundle = str(tls.trust_file(sandbox))
    login = {"host": host, "port": sandbox.redshift_port, "user": sandbox.user, "password": sandbox.password}
    ours = {"dbname": sandbox.database, "sslmode": "verify-full", "sslrootcert": bundle}
    with psycopg.connect(**login, **ours) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    theirs = {"database": sandbox.database, "ssl": True, "sslmode": "verify-full"}
    with closing(redshift_connector.connect(**login, **theirs)) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT 1")
        assert tuple(cursor.fetchone()) == (1,)
