"""Cost of the detection engine and of the interface controls on English prose, and their accuracy.

Run: python benchmarks/detect.py
     python benchmarks/detect.py --peers PYTHON
     python benchmarks/detect.py --eval DIR

DIR holds ``*.jsonl.gz``. Rows with ``text``, ``label`` (1 attack, 0 innocent) and ``source`` are requests:
printed is the share that is blocked at the default threshold, per source. Rows with ``output`` are innocent
answers: printed is the share that the response controls would change. PYTHON is the interpreter of an
environment with presidio-analyzer, detect-secrets, llm-guard (what is missing is said): printed are their
times on the same text, also as ratios to all rules over all readings here.
"""

import argparse
import gzip
import json
import random
import subprocess
import time
from collections import Counter, defaultdict
from pathlib import Path

from ringwall.boundaries.interface import canary, grounding, injection, leak, links, normalisation, secrets
from ringwall.core import (
    ANONYMOUS,
    USER,
    Action,
    Application,
    Crossing,
    CrossingKind,
    Part,
    PartKind,
    Services,
)
from ringwall.detect import Engine, Tier, builtin, judge, scanner, views
from ringwall.detect.learned.encoder import encoder
from ringwall.detect.learned.ngram import ngrams
from ringwall.detect.learned.opinion import best_tier

PROSE = (
    "Hello, I bought a lamp from your shop last week and it arrived on Monday, but the cable that came "
    "with it seems to be too short for my desk. Could you tell me whether you sell an extension, and "
    "how long the delivery would take? I also want to know how the warranty works when I change the "
    "bulb myself. My daughter says that the old model had a switch on the cable, which was very handy "
    "in the evening. Please send the answer to me by this chat, since I do not read my letters often. "
)
_TEXTS = ((PROSE * 3)[:1018] + f"{number:06d}" for number in range(10**9))


def micros(work, turns=300):
    """Best of three rounds, microseconds of processor time a call; every call gets a text not seen before."""
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        for _ in range(turns):
            work(next(_TEXTS))
        best = min(best, (time.process_time() - begun) / turns)
    return best * 1e6


def crossing(kind, text):
    return Crossing(kind, ANONYMOUS, (Part(PartKind.TEXT, text, USER, role="user"),))


def evaluate(folder, show):
    """Per source: how many rows, how many of them blocked."""
    control = injection.CONTROL.build(injection.InjectionSettings(), Services())
    answers = [links.Links(links.LinksSettings()), secrets.Secrets(secrets.SecretsSettings())]
    rows, blocked, rules, examples = Counter(), Counter(), defaultdict(Counter), defaultdict(list)
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                if "label" in row:
                    label = "attack" if row["label"] else "innocent"
                    judged = [(f"{row['source']} ({label})", control, CrossingKind.REQUEST, row["text"])]
                elif "output" in row:
                    judged = [
                        (
                            f"answers of {row['source']}: {one.declaration.id}",
                            one,
                            CrossingKind.RESPONSE,
                            row["output"],
                        )
                        for one in answers
                    ]
                else:
                    continue
                for name, one, kind, text in judged:
                    given = one.inspect(crossing(kind, text))
                    rows[name] += 1
                    if given.action >= (Action.BLOCK if kind is CrossingKind.REQUEST else Action.TRANSFORM):
                        blocked[name] += 1
                        rules[name].update({finding.rule for finding in given.findings})
                        examples[name].append((sorted({f.rule for f in given.findings}), text))
    print("| source | rows | stopped or changed | most frequent rules |\n|---|---|---|---|")
    for name in sorted(rows):
        share = 100 * blocked[name] / rows[name]
        often = ", ".join(f"{rule} {count}" for rule, count in rules[name].most_common(4))
        print(f"| {name} | {rows[name]:,} | {share:.1f}% | {often} |")
    for name in examples if show else ():
        for found, text in examples[name][:show] if "attack" not in name else ():
            print(f"\n{name}: {found}\n{text[:600]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--eval", type=Path, metavar="DIR", help="accuracy on the rows of these files")
    parser.add_argument(
        "--show", type=int, default=0, metavar="N", help="print N false alarms of each source"
    )
    parser.add_argument("--peers", metavar="PYTHON", help="time other scanners, with this interpreter")
    chosen = parser.parse_args()
    if chosen.eval:
        evaluate(chosen.eval, chosen.show)
    else:
        speed()
    if chosen.peers:
        peers(chosen.peers)


def long_texts():
    """A megabyte of each: the same prose over and over, prose of which no sentence repeats, log lines, source
    code, tables, records."""
    rng = random.Random(5)
    words = PROSE.split()
    varied = " ".join(" ".join(rng.sample(words, 12)).capitalize() + "." for _ in range(16_000))
    line = "2026-11-{:02d} 10:{:02d}:11 10.0.{}.7 user {} paid {}.50 to +49 30 {}\n"
    log = "".join(
        line.format(n % 28 + 1, n % 60, n % 256, n * 7919 % 10**8, n % 999, n * 104729 % 10**7)
        for n in range(32_000)
    )
    code = "".join(path.read_text("utf-8") for path in sorted(Path(json.__file__).parents[1].glob("*.py")))
    row = "{},Lamp no. {},{}.50,{:02d}.{:02d}.2025,open,{}\n"
    rows = "".join(
        row.format(n * 7919 % 10**7, n % 99, n % 990, n % 28 + 1, n % 12 + 1, n * 104729 % 10**10)
        for n in range(30_000)
    )
    records = "".join(
        json.dumps({"id": n, "made": f"2026-11-{n % 28 + 1:02d}T10:00:00Z", "tags": rng.sample(words, 3)})
        + "\n"
        for n in range(16_000)
    )
    texts = {"prose": PROSE * 3000, "prose, its words shuffled": varied, "log lines": log}
    return {**texts, "Python code": code, "CSV": rows, "JSON lines": records}


def learned():
    """The n-gram tier alone and with all rules on 1 KB, and the encoder on 256 tokens."""
    ngrams().score("warm")
    print(f"n-grams on 1 KB: {micros(ngrams().score):.0f} us")
    whole = micros(lambda text: judge(text, tier=Tier.NGRAMS))
    print(f"n-grams and all rules over all readings on 1 KB: {whole:.0f} us")
    if best_tier() is Tier.ENCODER:
        encoder().score("warm")
        begun, texts = time.perf_counter(), [" ".join(next(_TEXTS).split()[-190:]) for _ in range(20)]
        for text in texts:
            encoder().score(text)
        took = (time.perf_counter() - begun) / len(texts)
        print(f"encoder on 190 words (about 256 tokens): {took * 1e3:.1f} ms")


def peers(python):
    """Times of others on the same kilobyte, and how many times ours that is."""
    text = next(_TEXTS)
    ours = micros(lambda new: scanner().scan(new))
    run = subprocess.run(
        [python, str(Path(__file__).with_name("peers.py"))],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    print("\n| 1 KB of prose | us | ratio |\n|---|---|---|")
    print(f"| Ringwall, all rules and readings | {ours:.0f} | 1 |")
    for name, took in json.loads(run.stdout).items():
        shown = f"{took:.0f} | {took / ours:.0f}" if isinstance(took, float) else f"{took} | -"
        print(f"| {name} | {shown} |")


def speed():
    rules = builtin()
    begun = time.perf_counter()
    fast = Engine(rules)
    fast.scan("x")
    print(f"{len(rules)} rules compiled in {time.perf_counter() - begun:.2f} s")
    plain = Engine(rules, use_hyperscan=False)
    for kind, text in long_texts().items():
        for name, engine in (("hyperscan + re2", fast), ("re2 alone", plain)):
            size = 1 << (20 if engine is fast else 18)
            took = 1e9
            for _ in range(3):
                begun = time.process_time()
                hits = engine.scan(text[:size])
                took = min(took, time.process_time() - begun)
            print(f"{name}: {min(size, len(text)) / 1e6 / took:.1f} MB/s on {kind}, {len(hits)} hits")
    learned()
    scanner().scan("warm")
    print(f"views of 1 KB: {micros(views):.0f} us; rules on 1 KB: {micros(fast.scan):.0f} us")
    prompt = "You are the support assistant. Never mention the winter discount. Canary rwc-7f3kq9zp2lmx."
    services = Services(Application("a", system_prompt=prompt, canary="rwc-7f3kq9zp2lmx"))
    modules = (normalisation, injection, secrets, canary, leak, links, grounding)
    controls = [module.CONTROL.build(module.CONTROL.settings(), services) for module in modules]
    for kind in (CrossingKind.REQUEST, CrossingKind.RESPONSE):
        mine = [control for control in controls if kind in control.declaration.crossings]

        def whole(text, mine=mine, kind=kind):
            for control in mine:
                control.inspect(crossing(kind, text))

        print(f"all {len(mine)} text controls on a 1 KB {kind}: {micros(whole):.0f} us")


if __name__ == "__main__":
    main()
