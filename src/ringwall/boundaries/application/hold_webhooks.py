"""Messages to webhooks about holds, signed as Standard Webhooks has it.

``webhook-id``, ``webhook-timestamp`` (seconds) and ``webhook-signature`` (``v1,`` and the base64 of
HMAC-SHA256 over ``id.timestamp.body``); source: github.com/standard-webhooks/standard-webhooks, spec of 2023.
They go out by the guarded client, to the written address alone. Whatever answers decides nothing: only an
authenticated request of a person does.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from ringwall.core import ConfigError, DataError, Problem, RingwallError

from .egress import Egress, EgressRefused
from .hold import Hold
from .hold_outbox import Message, Outbox
from .hold_settings import HoldSettings, WebhookSettings

_PREFIX = "whsec_"
_LEAST = 24
_GONE = 410


class Lookup(Protocol):
    """``Holds``."""

    def get(self, hold_id: str) -> Hold: ...


class Told(Protocol):
    """Where it is put on record what became of a message."""

    async def __call__(self, message: Message, host: str, outcome: str) -> None: ...


def secret_of(hook: WebhookSettings, environment: Mapping[str, str] = os.environ) -> bytes:
    """The key that its messages are signed with. Raises ConfigError when there is none, or it is weak."""
    where = f"application.holds.webhooks: environment variable {hook.secret_env}"
    text = environment.get(hook.secret_env, "")
    if text.startswith(_PREFIX):
        try:
            key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            raise ConfigError(Problem(f"{where} is not base64 after {_PREFIX}.")) from None
    else:
        key = text.encode()
    if len(key) < _LEAST:
        raise ConfigError(Problem(f"{where} must hold a secret of at least {_LEAST} bytes."))
    return key


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def payload(message: Message, hold: Hold, hook: WebhookSettings, console_url: str) -> bytes:
    """The body: no argument of the call, unless the webhook is to have them."""
    data: dict[str, Any] = {
        "hold": hold.id,
        "state": message.facts["state"],
        "by": message.facts["by"],
        "tool": hold.tool,
        "call": hold.amended_call or hold.call,
        "subject": hold.subject,
        "tenant": hold.tenant,
        "application": hold.application,
        "reason": hold.reason,
        "approver": str(hold.approver),
        "requested_at": _iso(hold.requested_at),
        "expires_at": _iso(hold.expires_at),
        "link": f"{console_url}/console/holds/{hold.id}",
    }
    if hook.include_arguments:
        data["arguments"] = None if hold.arguments is None else dict(hold.arguments)
        if hold.amended_call:
            data["amended"] = None if hold.amended is None else dict(hold.amended)
    content = {"type": f"hold.{message.event}", "timestamp": _iso(message.at), "data": data}
    return json.dumps(content, sort_keys=True).encode()


class Webhooks:
    """Sends what is due. One per version of the settings; call ``close`` at the end."""

    def __init__(
        self,
        settings: HoldSettings,
        outbox: Outbox,
        holds: Lookup,
        told: Told,
        *,
        egress: Egress | None = None,
        environment: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises ConfigError for a secret that is missing or weak."""
        self._settings = settings
        self._hooks = {hook.url: (hook, secret_of(hook, environment)) for hook in settings.webhooks}
        self._outbox = outbox
        self._holds = holds
        self._told = told
        self._egress = egress or Egress([hook.rule for hook in settings.webhooks])
        self._clock = clock

    async def send_due(self) -> int:
        """One attempt for each message that is due; how many there were. Those of one hold go to a place in
        the order of what happened."""
        messages = self._outbox.claim()
        lines: dict[tuple[str, str], list[Message]] = {}
        for message in messages:
            lines.setdefault((message.url, message.hold), []).append(message)
        await asyncio.gather(*map(self._attempts, lines.values()))
        return len(messages)

    async def close(self) -> None:
        await self._egress.close()

    async def _attempts(self, messages: Sequence[Message]) -> None:
        for message in messages:
            await self._attempt(message)

    async def _attempt(self, message: Message) -> None:
        known = self._hooks.get(message.url)
        if known is None:  # the workload file names it no longer
            self._outbox.given_up(message)
            return
        try:
            status = await self._post(message, *known)
        except (EgressRefused, DataError) as refused:
            await self._end(message, f"refused: {refused}")
        except RingwallError as failed:
            await self._again(message, str(failed))
        else:
            if 200 <= status < 300:
                self._outbox.delivered(message)
                await self._told(message, _host(message.url), "delivered")
            elif status == _GONE:
                await self._end(message, "gone")
            else:
                await self._again(message, f"status {status}")

    async def _post(self, message: Message, hook: WebhookSettings, key: bytes) -> int:
        body = payload(message, self._holds.get(message.hold), hook, self._settings.console_url)
        now = int(self._clock())
        headers = {
            "content-type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(now),
            "webhook-signature": signature(key, message.id, now, body),
        }
        outbound = self._egress.list.judge(hook.url, "POST", "", len(body))
        async with self._egress.open(outbound, headers.items(), body) as answer:
            return answer.status

    async def _again(self, message: Message, why: str) -> None:
        if not self._outbox.failed(message):
            await self._told(message, _host(message.url), f"given up: {why}")

    async def _end(self, message: Message, why: str) -> None:
        self._outbox.given_up(message)
        await self._told(message, _host(message.url), f"given up: {why}")


def _host(url: str) -> str:
    """All that is told of an address: its path may be a secret."""
    return urlsplit(url).hostname or ""


def _iso(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1e6, UTC).isoformat(timespec="milliseconds")
