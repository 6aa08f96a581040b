"""``ringwall data sign``: a contributor's signature, made where the contributor's key is."""

import base64
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import json_option, show_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@click.command("signing-key")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def signing_key(file: Path, as_json: bool) -> None:
    """Make an Ed25519 key to sign contributions with. Its public half is for data.signers."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    from ringwall.core import DataError

    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise DataError(f"{file.name} is there already: name another file.") from None
    with os.fdopen(descriptor, "wb") as made:
        made.write(pem)
    public = base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    show_json({"file": str(file), "public": public}) if as_json else click.echo(public)


@click.command("sign")
@click.argument("collection")
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--signing-key", "key", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--contributor", required=True, help="Your subject, as the gateway knows you.")
@click.option("--licence", default="", help="As you will state it when you contribute.")
@click.option("--rows", is_flag=True, help="The file, or folder, holds rows for a training set.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="[default: FILE.sig.json]")
@json_option
def sign(
    collection: str,
    file: Path,
    key: Path,
    contributor: str,
    licence: str,
    rows: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Sign what you are about to contribute.

    What, to which collection, by whom, under which licence, when.

    Of rows the content is signed, in order, and not the file's bytes: it may be converted on its way.
    """
    from ringwall.boundaries.data import Terms, checked
    from ringwall.boundaries.data import sign as make

    stated = checked(Terms(licence)).licence
    sha256 = _rows_digest(file) if rows else _file_digest(file)
    signed = make(
        _private(key), collection=collection, contributor=contributor, licence=stated, sha256=sha256
    )
    target = out or file.with_name(f"{file.name}.sig.json")
    target.write_bytes(signed.to_bytes() + b"\n")
    show_json({"signature": str(target), "sha256": sha256}) if as_json else click.echo(str(target))


COMMANDS = (signing_key, sign)


def _private(path: Path) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from ringwall.core import DataError

    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise DataError(f"{path.name} is no Ed25519 key in PEM: make one with `ringwall data signing-key`.")
    return key


def _file_digest(file: Path) -> str:
    from ringwall.core import DataError

    if not file.is_file():
        raise DataError(f"{file.name} is a folder: sign the files, or give --rows for a training set.")
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _rows_digest(file: Path) -> str:
    from ringwall.boundaries.data import RowsDigest
    from ringwall.boundaries.data.records import read_rows

    digest = RowsDigest()
    for row in read_rows(file):
        digest.add(row.fields)
    return digest.hex
