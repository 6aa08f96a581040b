"""Precision, recall and F1 of the detection of personal data, by class, beside Presidio.

Run: python benchmarks/pii.py [--eval FILE] [--peer PYTHON] [--ner] [--regions US,DE,FR] [--rows N]
     [--data FILE]

FILE is gzipped JSON lines: ``{"text", "spans": [{"start", "end", "class"}]}``, classes as presidio-research
names them. PYTHON has ``presidio-analyzer``: its pattern recognisers run there, without a
language model. A labelled span is found when a finding of its class overlaps it; a finding is right when it
overlaps a labelled span of its class. Generated text: seeded, valid numbers labelled, and the same with a
wrong check digit, order numbers, versions, hashes and times that must be left alone.

Throughput is of one core: processor time of either program over the same texts, after a warm-up, the best
of three runs. ``--data``:
rows of a data set (gzipped JSON lines), as they come; ``rows`` reads many together (``detect/batch.py``);
``structured`` is without names, addresses, ages and user names, which the peer's patterns don't look for.
"""

import argparse
import gzip
import json
import random
import string
import subprocess
import time
from collections import Counter
from itertools import islice
from pathlib import Path

from ringwall.detect.batch import DESCRIPTIVE, batches
from ringwall.detect.checks import iban
from ringwall.detect.identifiers import IDENTIFIERS
from ringwall.detect.personal import CLASSES, find
from ringwall.detect.personal_checks import PERSONAL
from ringwall.detect.scanner import scanner

NAMES = {
    "EMAIL_ADDRESS": "pii.email", "PHONE_NUMBER": "pii.phone", "CREDIT_CARD": "pii.card",
    "IBAN_CODE": "pii.iban", "IP_ADDRESS": "pii.ip", "MAC_ADDRESS": "pii.mac", "CRYPTO": "pii.crypto",
    "US_DRIVER_LICENSE": "pii.driving-licence", "PERSON": "pii.name", "STREET_ADDRESS": "pii.address",
    "ZIP_CODE": "pii.address", "AGE": "pii.age", "US_SSN": "pii.national-id", "UK_NINO": "pii.national-id",
    "UK_NHS": "pii.national-id", "ES_NIF": "pii.national-id", "ES_NIE": "pii.national-id",
    "IT_FISCAL_CODE": "pii.national-id", "PL_PESEL": "pii.national-id", "SG_NRIC_FIN": "pii.national-id",
    "IN_AADHAAR": "pii.national-id", "FI_PERSONAL_IDENTITY_CODE": "pii.national-id",
    "AU_TFN": "pii.national-id", "US_ITIN": "pii.national-id", "KR_RRN": "pii.national-id",
    "TH_TNIN": "pii.national-id", "SE_PERSONNUMMER": "pii.national-id",
}  # fmt: skip
SAME = {"pii.tax-id": "pii.national-id", "pii.health-id": "pii.national-id"}
STRUCTURED = frozenset(CLASSES) - DESCRIPTIVE
PEER = """
import json, sys
from presidio_analyzer import RecognizerRegistry
registry = RecognizerRegistry()
registry.load_predefined_recognizers(languages=["en"])
ours = [r for r in registry.recognizers if hasattr(r, "patterns") or type(r).__name__ == "PhoneRecognizer"]
for line in sys.stdin:
    text, out = json.loads(line), []
    for recogniser in ours:
        for one in recogniser.analyze(text, recogniser.supported_entities, None) or []:
            out.append([one.entity_type, one.start, one.end, one.score])
    print(json.dumps(out), flush=True)
"""
PEER_SPEED = """
import json, sys, time
from presidio_analyzer import RecognizerRegistry
registry = RecognizerRegistry()
registry.load_predefined_recognizers(languages=["en"])
ours = [r for r in registry.recognizers if hasattr(r, "patterns") or type(r).__name__ == "PhoneRecognizer"]
texts = [json.loads(line) for line in sys.stdin]
def run(texts):
    for text in texts:
        for recogniser in ours:
            recogniser.analyze(text, recogniser.supported_entities, None)
run(texts[:20])
times = []
for _ in range(3):
    began = time.process_time()
    run(texts)
    times.append(time.process_time() - began)
print(min(times))
"""


def drawn(shape, check, chance):
    digits, letters = string.digits, string.ascii_uppercase
    while True:
        text = "".join(
            chance.choice(digits) if c == "#" else chance.choice(letters) if c == "%" else c for c in shape
        )
        if check(text):
            return text


def broken(text, check, chance):
    """The same with another digit, so that the check fails."""
    places = [at for at, char in enumerate(text) if char.isdigit()]
    while True:
        at = chance.choice(places)
        wrong = text[:at] + chance.choice(string.digits) + text[at + 1 :]
        if not check(wrong):
            return wrong


CHECKED = [  # class, shape, check, sentence
    ("pii.card", "4### #### #### ####", PERSONAL["card"], "Please charge my card {}."),
    ("pii.card", "5555############", PERSONAL["card"], "{} is the number on file."),
    ("pii.card", "37## ###### #####", PERSONAL["card"], "Paid with {} yesterday"),
    ("pii.national-id", "###-##-####", IDENTIFIERS["us-ssn"], "SSN: {}"),
    ("pii.national-id", "### ### ####", IDENTIFIERS["gb-nhs"], "The NHS number is {}."),
    ("pii.national-id", "########%", IDENTIFIERS["es-dni"], "Mi DNI es {}"),
    ("pii.national-id", "RSSMRA85T##A###%", IDENTIFIERS["it-cf"], "codice fiscale {}"),
    ("pii.national-id", "8506#######", IDENTIFIERS["pl-pesel"], "PESEL {}"),
    ("pii.national-id", "S#######%", IDENTIFIERS["sg-nric"], "NRIC {}"),
    ("pii.national-id", "#### #### ####", IDENTIFIERS["in-aadhaar"], "Aadhaar number {}"),
    ("pii.national-id", "###########", IDENTIFIERS["de-tax"], "Meine Steuer-ID lautet {}"),
    ("pii.national-id", "###.###.###-##", IDENTIFIERS["br-cpf"], "CPF {}"),
    ("pii.national-id", "#########", IDENTIFIERS["nl-bsn"], "BSN: {}"),
    ("pii.national-id", "1850623######", IDENTIFIERS["ro-cnp"], "CNP {}"),
    ("pii.national-id", "756.####.####.##", IDENTIFIERS["ch-ahv"], "AHV {}"),
    ("pii.national-id", "850617-####", IDENTIFIERS["se-pnr"], "personnummer {}"),
    ("pii.iban", "DE## 3704 0044 0532 0130 ##", iban, "Transfer it to {} today"),
]
FREE = [  # class, shape, sentence
    ("pii.email", "casey.doe##@example.com", "Write to {} please"),
    ("pii.phone", "+49 30 90####", "My number is {}"),
    ("pii.phone", "(202) 555-01##", "call me at {}"),
    ("pii.ip", "203.0.113.1##", "logged in from {}"),
    ("pii.mac", "00:1a:2b:3c:4d:5#", "device {}"),
]
DECOYS = [
    "Order ######### shipped", "invoice 2024-######", "version 1.#.#.#", "commit 3f786850e387550fdab8#######",
    "at 2024-11-2# 1#:0#:##", "epoch 17325378#####", "pi is 3.1415926535######", "total 1#,###.## EUR",
    "id 123e4567-e89b-12d3-a456-4266141#####", "ticket ##########", "serial ############", "page ### of ###",
]  # fmt: skip


def generated(rows, seed=11):
    chance, out = random.Random(seed), []
    for _ in range(rows):
        kind = chance.random()
        if kind < 0.4:
            cls, shape, check, sentence = chance.choice(CHECKED)
            value = drawn(shape.replace("DE##", f"DE{chance.randint(10, 99)}"), check, chance)
        elif kind < 0.55:
            cls, shape, sentence = chance.choice(FREE)
            value = drawn(shape, lambda _: True, chance)
        elif kind < 0.75:
            cls, shape, check, sentence = chance.choice(CHECKED)
            value, cls = broken(drawn(shape, check, chance), check, chance), ""
        else:
            cls, sentence = "", "{}"
            value = drawn(chance.choice(DECOYS), lambda _: True, chance)
        start = sentence.index("{")
        spans = [(start, start + len(value), cls)] if cls else []
        out.append((sentence.format(value), spans))
    return out


def labelled(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield (
                row["text"],
                [(s["start"], s["end"], NAMES[s["class"]]) for s in row["spans"] if s["class"] in NAMES],
            )


def data_rows(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield "\n".join(value for value in json.loads(line).values() if isinstance(value, str))


def ours(texts, regions, ner):
    for text in texts:
        yield [
            (one.start, one.end, SAME.get(one.cls, one.cls)) for one in find(text, regions=regions, ner=ner)
        ]


def together(texts, regions):
    for found in batches().find(texts, regions=regions):
        yield [(one.start, one.end, SAME.get(one.cls, one.cls)) for one in found]


def each(texts):
    """As a control reads what somebody says to a model; nothing is remembered from the run before."""
    scanner().forget()
    for text in texts:
        find(text)


def speeds(title, texts, peer):
    """MB/s of one core, and how many times the peer's."""
    size = sum(len(text.encode()) for text in texts) / 1e6
    few = texts[: max(1, int(len(texts) * min(1.0, 0.4 / size)))]  # enough for the slower ones
    share = sum(len(text.encode()) for text in few) / 1e6
    peer_speed = share / float(piped(peer, PEER_SPEED, few)) if peer else 0.0
    whole = [text for _ in range(max(1, round(4 / size))) for text in texts]
    structured = batches(STRUCTURED)
    rows = [
        ("rows", whole, lambda some: batches().find(some)),
        ("rows, structured classes", whole, structured.find),
        (
            "each row by itself, structured",
            few,
            lambda some: [batches(STRUCTURED).find((one,)) for one in some],
        ),
        ("each text, decoded", few, each),
    ]
    print(f"\n### {title}: {len(texts)} texts, {size:.1f} MB, one core")
    print("\n| system | MB/s | times |\n|---|---|---|")
    for name, some, run in rows:
        run(some[:50])
        times = []
        for _ in range(3):
            began = time.process_time()
            run(some)
            times.append(time.process_time() - began)
        speed = sum(len(text.encode()) for text in some) / 1e6 / min(times)
        print(f"| {name} | {speed:.2f} | {speed / peer_speed if peer else 0:.0f} |")
    if peer:
        print(f"| Presidio patterns | {peer_speed:.3f} | 1 |")


def piped(python, program, texts):
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    return subprocess.run(
        [python, "-c", program], input=lines, capture_output=True, text=True, check=True
    ).stdout


def peers(texts, python):
    for line in piped(python, PEER, texts).splitlines():
        yield [
            (start, end, NAMES.get(name, name))
            for name, start, end, score in json.loads(line)
            if score >= 0.4
        ]


def scored(rows, found):
    """Counts of true findings, findings, labelled and found, by class."""
    counts = {key: Counter() for key in ("right", "all", "wanted", "hit")}
    for (_, spans), seen in zip(rows, found, strict=True):
        for start, end, cls in seen:
            counts["all"][cls] += 1
            counts["right"][cls] += any(c == cls and s < end and start < e for s, e, c in spans)
        for start, end, cls in spans:
            counts["wanted"][cls] += 1
            counts["hit"][cls] += any(c == cls and s < end and start < e for s, e, c in seen)
    return counts


def figures(counts, cls):
    pick = (
        (lambda key: sum(n for c, n in counts[key].items())) if cls == "all" else lambda key: counts[key][cls]
    )
    precision = pick("right") / pick("all") if pick("all") else 0.0
    recall = pick("hit") / pick("wanted") if pick("wanted") else 0.0
    both = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return f"{precision:.2f} / {recall:.2f} / {both:.2f}"


def table(title, rows, systems):
    classes = sorted({cls for _, spans in rows for _, _, cls in spans})
    results = {}
    for name, run in systems.items():
        began = time.perf_counter()
        found = [[one for one in seen if one[2] in classes] for seen in run([text for text, _ in rows])]
        results[f"{name} ({(time.perf_counter() - began) / len(rows) * 1e3:.2f} ms a text)"] = scored(
            rows, found
        )
    wanted = next(iter(results.values()))["wanted"]
    print(f"\n### {title}: {len(rows)} texts (precision / recall / F1)\n")
    print("| class | spans |", " | ".join(results), "|")
    print("|---|---|" + "---|" * len(results))
    for cls in [*classes, "all"]:
        count = sum(wanted.values()) if cls == "all" else wanted[cls]
        print(f"| {cls} | {count} |", " | ".join(figures(one, cls) for one in results.values()), "|")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--eval", type=Path)
    parser.add_argument("--peer", help="an interpreter with presidio-analyzer")
    parser.add_argument("--ner", action="store_true")
    parser.add_argument("--regions", default="US,GB,DE,FR,ES,IT,CH,SE")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=1000)
    args = parser.parse_args()
    regions = tuple(filter(None, args.regions.split(",")))
    find("warm", regions=regions)
    systems = {
        "rules": lambda texts: ours(texts, (), False),
        "rows": lambda texts: list(together(texts, ())),
        "rules + phones": lambda texts: ours(texts, regions, False),
    }
    if args.ner:
        systems["rules + phones + model"] = lambda texts: ours(texts, regions, True)
    if args.peer:
        systems["Presidio patterns"] = lambda texts: list(peers(texts, args.peer))
    table("Generated", generated(args.rows), systems)
    if args.eval:
        table(args.eval.name, list(labelled(args.eval)), systems)
        speeds(args.eval.name, [text for text, _ in labelled(args.eval)], args.peer)
    if args.data:
        speeds(args.data.name, list(islice(data_rows(args.data), 20_000)), args.peer)


if __name__ == "__main__":
    main()
