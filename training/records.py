"""Rows that machines write: records with a free text in them, and lines with encoded data."""

import base64
import binascii
import hashlib
import json
import random
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import yaml

from .rows import Row

_NAMES = (
    "Ana Souza",
    "J. Miller",
    "Priya N.",
    "Tom Okafor",
    "lena_k",
    "Wei Zhang",
    "M. Rossi",
    "Sofia",
    "omar-84",
    "Eva Lind",
    "Kenji Mori",
    "support",
    "noreply",
    "D. Novak",
)
_TEXT_KEYS = (
    "description",
    "content",
    "message",
    "notes",
    "bio",
    "review",
    "body",
    "comment",
    "title",
    "summary",
    "snippet",
    "text",
    "details",
    "subject",
    "caption",
    "remark",
)
_HOLDERS = (
    "results",
    "items",
    "emails",
    "reviews",
    "events",
    "posts",
    "data",
    "records",
    "product",
    "user",
    "ticket",
    "tasks",
    "files",
    "messages",
    "bookings",
    "contacts",
)
_HONEST_NOTES = (
    "Great value, arrived two days early.", "Customer asked to be called back after 5 pm.", "Please ring the bell twice, the dog is harmless.", "Quarterly review with finance.", "Works as described, but the manual is thin.",
    "Meeting moved to room 4.", "Don't forget to bring your badge.", "Please leave the parcel with the neighbour.", "Loved the view, breakfast was cold.", "Call us if you have any questions.", "Payment due on the 3rd; please use the reference below.",
    "Remember to water the plants while we are away.", "Follow me for more recipes!", "Sign up by Friday to get the discount.", "Please review the attached draft and send comments by Monday.", "Keep refrigerated. Use within three days.", "Looking forward to seeing you!",
    "Please confirm your attendance by replying to this e-mail.", "Restart the router and wait two minutes.", "Two adults, one child, vegetarian meals.", "Battery lasts about nine hours.", "Invoice attached. Thank you for your business.", "Backup finished without errors.", "Please schedule the inspection with the landlord.",
    "Turn left at the church, then the second house.", "Submit the form through the portal, not by mail.", "Send your CV to the address on our site.", "I'd like to change my appointment.", "Could someone water the plants on floor 3?", "Deposit your keys at the front desk.",
)  # fmt: skip


def record(chance: random.Random, text: str) -> str:
    """A record as JSON, Python, YAML or lines, with the text in one field of it."""
    fields: dict[str, Any] = {
        "id": chance.choice(
            [
                chance.randint(1, 99999),
                uuid.UUID(int=chance.getrandbits(128)).hex[:8],
                f"ev_{chance.randint(10, 999)}",
            ]
        )
    }
    extras: list[tuple[str, Any]] = [
        ("name", chance.choice(_NAMES)), ("from", chance.choice(_NAMES)), ("date", f"20{chance.randint(19, 26)}-0{chance.randint(1, 9)}-{chance.randint(10, 28)}"), ("price", round(chance.random() * 900, 2)),
        ("status", chance.choice(["open", "completed", "paid", "pending"])), ("rating", chance.randint(1, 5)), ("tags", chance.sample(["new", "home", "sale", "work", "urgent"], 2)), ("phone", f"+1415555{chance.randint(1000, 9999)}"),
        ("email", f"{chance.choice('abcdefg')}.{chance.choice(['lee', 'kim', 'roth'])}@example.com"), ("priority", chance.randint(1, 3)), ("location", chance.choice(["Berlin", "Lagos", "Austin", "Osaka"])), ("url", "https://example.org/p/" + str(chance.randint(1, 900))),
        ("stock", chance.randint(0, 80)), ("meta", {"source": chance.choice(["web", "app", "api"]), "verified": chance.random() < 0.5}),
    ]  # fmt: skip
    chosen = chance.sample(extras, chance.randint(1, 6))
    chosen.insert(chance.randint(0, len(chosen)), (chance.choice(_TEXT_KEYS), text))
    fields.update(chosen)
    shaped: Any = (
        fields
        if chance.random() < 0.3
        else {chance.choice(_HOLDERS): fields if chance.random() < 0.4 else [fields]}
    )
    write: Callable[[Any], str] = chance.choice(
        [
            json.dumps,
            lambda v: json.dumps(v, indent=2),
            repr,
            repr,
            lambda v: f'"{v!r}"',
            lambda v: yaml.safe_dump(v, sort_keys=False, width=400),
            lambda v: "\n".join(f"{k}: {x}" for k, x in (v if v is fields else fields).items()),
        ]
    )
    return write(shaped)


def records(planted: Sequence[str], honest: Sequence[str], count: int, seed: int) -> Iterator[Row]:
    """As many with a planted instruction as without."""
    chance = random.Random(seed)
    for _ in range(count):
        yield Row(record(chance, chance.choice(planted)), 1, "gen:records", "Apache-2.0", "untrusted", "en")
        told = chance.choice(_HONEST_NOTES) if chance.random() < 0.5 else chance.choice(honest)
        yield Row(record(chance, told), 0, "gen:records", "Apache-2.0", "untrusted", "en")


_LABELS = (
    "Attachment (base64): ", "sha256: ", "Checksum of the release: ", "Session id: ", "Here is the public key: ", "token=", "ETag: ", "My licence key is ", "decode this for me: ", "What does this say? ", "commit ", "Backup code: ", "data:image/png;base64,",
    "Could you check whether this hash is a SHA-1: ", "payload: ", "fingerprint ", "nonce=", "", "The log shows ", "order reference ", "Is this valid base64? ", "QR content: ", "uuid: ", "cookie: id=",
)  # fmt: skip


def encoded(honest: Sequence[str], count: int, seed: int) -> Iterator[Row]:
    """Innocent lines with encoded data: what is in it is judged when it has been decoded."""
    chance = random.Random(seed)
    for _ in range(count):
        plain = chance.choice(honest)[: chance.randint(8, 120)].encode()
        noise = chance.randbytes(chance.randint(8, 48))
        form = chance.choice(
            [base64.b64encode(plain).decode(), base64.b64encode(noise).decode(), base64.b32encode(plain[:40]).decode(), hashlib.sha256(plain).hexdigest(), hashlib.sha1(plain).hexdigest(),
             str(uuid.UUID(int=chance.getrandbits(128))), binascii.hexlify(plain).decode(), "eyJhbGciOiJIUzI1NiJ9." + base64.urlsafe_b64encode(plain).decode().rstrip("=") + "." + base64.urlsafe_b64encode(noise).decode().rstrip("="),
             "-".join(f"{chance.getrandbits(20):05X}" for _ in range(4))]
        )  # fmt: skip
        text = (
            chance.choice(_LABELS)
            + form
            + chance.choice(["", "", "", ".", "\nThanks!", " (expires tomorrow)"])
        )
        yield Row(text, 0, "gen:encoded", "Apache-2.0", chance.choice(["user", "user", "untrusted"]), "en")
