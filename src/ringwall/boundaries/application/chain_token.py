"""Chains of agents: a turn asks another application, whose turn asks the next, or the first again.

Each turn hands out a token that tells who stands on its chain: to the tools that the gateway runs for it,
and in the answer's header ``x-ringwall-chain``, for frameworks to pass on. A request that brings the token
goes on with the chain. Tokens are sealed (AES-256-GCM) under a key of the master key, bound to a tenant, and
short-lived: nobody can make one, shorten one, or read who stands on it; every gateway with the same master
key takes it.
"""

import base64
import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ringwall.core import new_id

HEADER = "x-ringwall-chain"
PURPOSE = "agent-chain"
"""What the master key derives the key for."""
CURRENT: ContextVar[str] = ContextVar("ringwall_chain", default="")
"""Token of the turn that the running tool belongs to: the egress client sends it to agents."""

_NONCE = 12
_LONGEST = 8192
_EDITION = b"ringwall chain 1"


@dataclass(frozen=True, slots=True)
class Hop:
    """One turn on the chain."""

    application: str
    session: str
    said: str
    """Digest of the message that it answers, blanks and case aside."""


@dataclass(frozen=True, slots=True)
class Chain:
    """How a turn came about. The last hop is the turn itself."""

    id: str
    hops: tuple[Hop, ...]
    fault: str = ""
    """Why the token that came can't be believed: ``forged``, ``expired`` or ``foreign``; else empty."""

    @property
    def depth(self) -> int:
        return len(self.hops)

    @property
    def caller(self) -> str:
        """The application whose agent asks; empty when a client began the chain."""
        return self.hops[-2].application if len(self.hops) > 1 else ""

    @property
    def repeats(self) -> bool:
        """Whether this application was asked the same before on this chain."""
        last = self.hops[-1]
        return any((hop.application, hop.said) == (last.application, last.said) for hop in self.hops[:-1])

    def facts(self) -> Mapping[str, Any]:
        """For the context of crossings."""
        return {
            "id": self.id,
            "depth": self.depth,
            "caller": self.caller,
            "repeats": self.repeats,
            "fault": self.fault,
        }


@dataclass(frozen=True, slots=True)
class Chains:
    """Reads and writes tokens. ``key``: 32 bytes, derived for ``PURPOSE``."""

    key: bytes = field(repr=False)
    expire_s: int = 600
    clock: Callable[[], float] = time.time

    def enter(self, token: str, *, tenant: str, application: str, session: str, said: str) -> Chain:
        """The chain of a turn that begins: continued from the token, or new without one, or with one that
        can't be believed (then ``fault`` says why). Never raises.

        A client that sends the token of the application's own last turn back to the same session goes on with
        that conversation and adds no hop.
        """
        hop = Hop(application, session, said)
        if not token:
            return Chain(new_id("chn"), (hop,))
        found = self._open(token, tenant)
        if isinstance(found, str):
            return Chain(new_id("chn"), (hop,), found)
        last = found.hops[-1]
        if (last.application, last.session) == (application, session) and last.said != said:
            return replace(found, hops=(*found.hops[:-1], hop))
        return replace(found, hops=(*found.hops, hop))

    def resume(self, token: str, *, tenant: str) -> Chain | None:
        """The chain of a turn whose agent makes a call by itself: no application is added. None without a
        token; never raises."""
        if not token:
            return None
        found = self._open(token, tenant)
        return Chain(new_id("chn"), (Hop("", "", ""),), found) if isinstance(found, str) else found

    def token(self, chain: Chain, tenant: str) -> str:
        """What the next application on the chain is to be given."""
        hops = [[hop.application, hop.session, hop.said] for hop in chain.hops]
        content = {"id": chain.id, "hops": hops, "tenant": tenant, "ends": self.clock() + self.expire_s}
        nonce = os.urandom(_NONCE)
        sealed = AESGCM(self.key).encrypt(nonce, json.dumps(content).encode(), _EDITION)
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def _open(self, token: str, tenant: str) -> Chain | str:
        """The chain as it was handed out, or what is wrong with the token."""
        if len(token) > _LONGEST or not token.isascii():
            return "forged"
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            content = json.loads(AESGCM(self.key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _EDITION))
        except (ValueError, InvalidTag):
            return "forged"
        if content["ends"] < self.clock():
            return "expired"
        if content["tenant"] != tenant:
            return "foreign"
        return Chain(content["id"], tuple(Hop(*hop) for hop in content["hops"]))


def digest_of(message: Mapping[str, Any]) -> str:
    """Digest of what a message says. Blanks, case and what stands around them make no other message."""
    text = json.dumps(message.get("content"), sort_keys=True, ensure_ascii=False)
    plain = "".join(text.casefold().replace("\\n", " ").replace("\\t", " ").split())
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
