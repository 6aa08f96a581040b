"""Where a credential ends whose length has no bound: the rule matches its head alone (``extend:``)."""

import re

_TOKEN_RUN = re.compile(r"[A-Za-z0-9_.~+/=-]{0,16384}")
_PEM_RUN = re.compile(r"(?:[A-Za-z0-9+/=]{1,120}|[\s\\nr\"',]{1,8}|[A-Za-z-]{3,16}: [^\n]{0,120}\n){0,4096}")
PUTTY_MOST = 16_384
_PUTTY_LAST = re.compile(r"Private-MAC: [0-9a-f]{40,64}")
_PEM_END = re.compile(r"-{0,5}(?:END [A-Z0-9 ]{0,48}-{0,5})?")


def token_end(text: str, at: int) -> int:
    """Where the run of token characters around ``at`` ends."""
    run = _TOKEN_RUN.match(text, at)
    return run.end() if run else at


def pem_end(text: str, at: int) -> int:
    """Where an armoured block ends whose first line ends at ``at``: behind its last line, or, without one,
    where the encoded text stops."""
    body = _PEM_RUN.match(text, at)
    end = body.end() if body else at
    last = _PEM_END.match(text, end)
    return last.end() if last else end


def putty_end(text: str, at: int) -> int:
    """Where the file of a PuTTY key ends: behind its check sum, or, without one, as far as a key may go."""
    last = _PUTTY_LAST.search(text, at, at + PUTTY_MOST)
    return last.end() if last else min(len(text), at + PUTTY_MOST)
