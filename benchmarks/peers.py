"""Times other scanners on a text; benchmarks/detect.py runs it with the Python of their environment.

Reads the text from standard input, writes one JSON object: name -> microseconds a call, or why it can't run.
Presidio runs its pattern recognisers alone (no language model), LLM Guard its Regex, BanSubstrings and
InvisibleText scanners, detect-secrets all its plugins line by line.
"""

import argparse
import json
import sys
import time


def micros(work, turns=5):
    best = float("inf")
    for _ in range(turns):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best * 1e6


def presidio(text):
    from presidio_analyzer import PatternRecognizer, predefined_recognizers

    found = (getattr(predefined_recognizers, name) for name in dir(predefined_recognizers))
    recognizers = []
    for one in found:
        if isinstance(one, type) and issubclass(one, PatternRecognizer) and one is not PatternRecognizer:
            try:
                recognizers.append(one())
            except TypeError:  # needs arguments of its own
                continue

    def work():
        for one in recognizers:
            one.analyze(text, one.supported_entities, None)

    return work


def detect_secrets(text):
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import default_settings

    def work():
        with default_settings():
            for line in text.splitlines():
                list(scan_line(line))

    return work


def llm_guard(text):
    from llm_guard.input_scanners import BanSubstrings, InvisibleText, Regex

    scanners = [
        Regex(patterns=[r"Bearer [A-Za-z0-9-._~+/]+", r"\b[\w.+-]+@[\w-]+\.[\w.]+\b"], is_blocked=True),
        BanSubstrings(substrings=["ignore all previous instructions"]),
        InvisibleText(),
    ]

    def work():
        for one in scanners:
            one.scan(text)

    return work


def main():
    text = sys.stdin.read()
    out = {}
    for name, make in (("Presidio", presidio), ("detect-secrets", detect_secrets), ("LLM Guard", llm_guard)):
        try:
            work = make(text)
            work()
            out[name] = micros(work)
        except Exception as error:  # noqa: BLE001 - a peer that can't run is a line of the table
            out[name] = f"does not run: {type(error).__name__}: {str(error)[:80]}"
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0]).parse_args()
    main()
