"""One key for one purpose."""

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def derived(secret: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose (HKDF-SHA256, RFC 5869); the same each time."""
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=b"ringwall", info=purpose.encode())
    return hkdf.derive(secret)
