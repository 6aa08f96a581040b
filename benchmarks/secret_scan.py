"""Precision and recall of the credential rules, beside detect-secrets and Kingfisher, on the same text.

Run: python benchmarks/secret_scan.py [--peers PYTHON] [--count N] [--negatives DIR]

The text is generated (seeded): credentials of the forms that their providers document, planted in
configuration, code, logs, chat and JSON among hashes, identifiers, placeholders and encoded data. A
credential is found when a finding covers it; a finding that touches none is a false alarm. ``--peers`` is a
Python that has ``detect-secrets`` and ``kingfisher-secret-scanner``; ``--negatives`` a folder of public
sources in which every finding counts as an alarm.
"""

import argparse
import json
import subprocess
import time
from functools import partial
from pathlib import Path

from secrets_text import documents

from ringwall.detect import Engine, builtin

PEER = """
import json, sys, time
name, texts = sys.argv[1], [json.loads(line) for line in sys.stdin]
out = []
if name == "detect-secrets":
    import os, tempfile
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import default_settings
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "text.txt")
    with default_settings():
        begun = time.process_time()
        for text in texts:
            with open(path, "w", newline="") as file:
                file.write(text)
            lines = text.split("\\n")
            spans = []
            for found in scan_file(path):
                at = sum(len(line) + 1 for line in lines[: found.line_number - 1])
                place = text.find(found.secret_value or "", at)
                if found.secret_value and place >= 0:
                    spans.append((place, place + len(found.secret_value)))
            out.append(spans)
else:
    from kingfisher_sdk import Scanner
    scanner = Scanner()
    begun = time.process_time()
    for text in texts:
        spans = set()
        for secret in {found.secret for found in scanner.scan(text)}:
            place = text.find(secret)
            while secret and place >= 0:
                spans.add((place, place + len(secret)))
                place = text.find(secret, place + 1)
        out.append(sorted(spans))
print(json.dumps([time.process_time() - begun, out]))
"""


def ours(texts):
    engine = Engine([rule for rule in builtin() if rule.cls == "secret"])
    for text in texts:
        engine.scan(text)
    begun = time.process_time()
    spans = [[(hit.start, hit.end) for hit in engine.scan(text)] for text in texts]
    return time.process_time() - begun, spans


def peer(python, name, texts):
    done = subprocess.run(
        [python, "-c", PEER, name],
        input="\n".join(map(json.dumps, texts)),
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, spans = json.loads(done.stdout)
    return seconds, spans


def merged(spans):
    """Findings that overlap are one."""
    out = []
    for start, end in sorted(spans):
        if out and start < out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def row(name, docs, seconds, spans):
    """One line of the table, and the kinds that were missed."""
    planted = found = exact = alarms = 0
    missed = {}
    for doc, given in zip(docs, spans, strict=True):
        marked = merged(given)
        for kind, start, end in doc.secrets:
            planted += 1
            covering = [one for one in marked if one[0] <= start and end <= one[1]]
            found += bool(covering)
            exact += (start, end) in covering
            if not covering:
                missed[kind] = missed.get(kind, 0) + 1
        alarms += sum(not any(a < end and start < b for _, start, end in doc.secrets) for a, b in marked)
    size = sum(len(doc.text.encode()) for doc in docs)
    precision = found / (found + alarms) if found + alarms else 0
    print(
        f"| {name} | {found}/{planted} ({100 * found / planted:.1f}%) | {100 * exact / planted:.1f}% "
        f"| {alarms} | {100 * precision:.1f}% | {size / 1e6 / max(seconds, 1e-9):.2f} |"
    )
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--peers", metavar="PYTHON", help="a Python with the other scanners")
    parser.add_argument("--count", type=int, default=1500, help="documents, two in three with a credential")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--negatives", type=Path, metavar="DIR", help="sources in which nothing is to be found"
    )
    parser.add_argument("--missed", action="store_true", help="print what kinds each scanner missed")
    chosen = parser.parse_args()
    docs = list(documents(chosen.count, chosen.seed))
    texts = [doc.text for doc in docs]
    runs = {"Ringwall": ours}
    for name in ("detect-secrets", "kingfisher") if chosen.peers else ():
        runs[name] = partial(peer, chosen.peers, name)
    print("| scanner | found | exact span | false alarms | precision | MB/s of CPU time |")
    print("|---|---|---|---|---|---|")
    for name, run in runs.items():
        missed = row(name, docs, *run(texts))
        if chosen.missed:
            print(f"missed by {name}: {dict(sorted(missed.items(), key=lambda item: -item[1]))}")
    if chosen.negatives:
        paths = sorted(chosen.negatives.rglob("*.py"))[:400]
        public = [path.read_text("utf-8", "replace")[:100_000] for path in paths]
        size = sum(map(len, public)) / 1e6
        print(f"\n| scanner | findings in {len(public)} public sources ({size:.1f} MB) |\n|---|---|")
        for name, run in runs.items():
            print(f"| {name} | {sum(len(merged(spans)) for spans in run(public)[1])} |")


if __name__ == "__main__":
    main()
