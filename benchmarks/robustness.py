"""How often disguised copies of caught attacks are caught, by disguise.

Run: python benchmarks/robustness.py
     python benchmarks/robustness.py --eval DIR [--count N]

Without DIR the attacks are the examples of the rules; DIR holds ``*.jsonl.gz`` with ``text`` and ``label`` (1
attack). An attack counts that is caught plain, in ASCII; letters and spaces alone are kept of it, for some
disguises carry nothing else. It stands between two harmless sentences. Signatures only: no learned tier.
"""

import argparse
import gzip
import json
import random
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests/detect"))

from obfuscator import TRANSFORMATIONS

from ringwall.detect import assess, builtin

BLOCKED = 0.5
LONGEST = 400


def attacks(folder):
    if folder is None:
        for rule in builtin():
            if rule.cls in ("injection", "jailbreak"):
                yield from rule.positive
        return
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            yield from (row["text"] for row in map(json.loads, lines) if row.get("label") == 1)


def embedded(text):
    return f"Thank you for the quick answer. {text} I wish you a nice day."


def caught(text):
    return assess(embedded(text)).attack >= BLOCKED


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--eval", type=Path, metavar="DIR", help="attacks from the rows of these files")
    parser.add_argument("--count", type=int, default=100, metavar="N", help="attacks at most")
    chosen = parser.parse_args()
    texts = {
        " ".join(re.sub(r"[^A-Za-z ]", " ", text).split())
        for text in attacks(chosen.eval)
        if text.isascii() and len(text) <= LONGEST
    }
    mixed = sorted(text for text in texts if len(text) >= 25)
    random.Random(5).shuffle(mixed)
    plain = []
    for text in mixed:
        if caught(text):
            plain.append(text)
        if len(plain) == chosen.count:
            break
    print(f"{len(plain)} attacks that are caught plain\n\n| disguise | still caught |\n|---|---|")
    shares = []
    for name, disguise in TRANSFORMATIONS.items():
        share = sum(caught(disguise(text)) for text in plain) / len(plain)
        shares.append(share)
        print(f"| {name} | {share:.1%} |", flush=True)
    print(f"| mean of {len(shares)} | {sum(shares) / len(shares):.1%} |")


if __name__ == "__main__":
    main()
