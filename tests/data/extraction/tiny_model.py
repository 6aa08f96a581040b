"""A language model of characters that trains in seconds: embedding, one hidden layer, softmax (Bengio et al.
2003), by Adam. It really learns, and really remembers what it saw often."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

CONTEXT, EMBED, HIDDEN, BATCH = 18, 8, 96, 16  # so small that no library starts threads for it
START = "\x00"


class TinyModel:
    def __init__(self, texts: Sequence[str], *, epochs: int = 3, seed: int = 3) -> None:
        chance = np.random.default_rng(seed)
        self.alphabet = START + "".join(sorted({*"".join(texts), *"0123456789 "}))
        self.index = {char: at for at, char in enumerate(self.alphabet)}
        size = len(self.alphabet)
        first = [
            chance.normal(0, 0.3, (size, EMBED)),
            chance.normal(0, 1 / np.sqrt(CONTEXT * EMBED), (CONTEXT * EMBED, HIDDEN)),
            np.zeros(HIDDEN),
            chance.normal(0, 1 / np.sqrt(HIDDEN), (HIDDEN, size)),
            np.zeros(size),
        ]
        self.weights = [one.astype(np.float32) for one in first]
        contexts, wanted = self._examples(texts)
        self._train(contexts, wanted, epochs, chance)

    def losses(self, text: str) -> list[float]:
        """Nats of each character after those before it."""
        contexts, wanted = self._examples([text])
        pieces = [self._forward(contexts[at : at + BATCH])[0] for at in range(0, len(contexts), BATCH)]
        logits = np.concatenate(pieces)[: len(text)]
        return [float(v) for v in _log_sum(logits) - logits[np.arange(len(text)), wanted[: len(text)]]]

    def continued(self, prompt: str, count: int, temperature: float, seed: int) -> str:
        chance = np.random.default_rng(seed)
        said = ""
        for _ in range(count):
            logits = self._forward(self._context(prompt + said)[None, :])[0][0]
            if temperature:
                odds = np.exp(logits / temperature - np.max(logits / temperature))
                pick = int(chance.choice(len(odds), p=odds / odds.sum()))
            else:
                pick = int(np.argmax(logits))
            if not pick:
                break
            said += self.alphabet[pick]
        return said

    def _context(self, text: str) -> Any:
        padded = (START * CONTEXT + text)[-CONTEXT:]
        return np.array([self.index.get(char, 0) for char in padded])

    def _examples(self, texts: Sequence[str]) -> tuple[Any, Any]:
        contexts, wanted = [], []
        for text in texts:
            codes = [0] * CONTEXT + [self.index.get(char, 0) for char in text] + [0]
            for at in range(CONTEXT, len(codes)):
                contexts.append(codes[at - CONTEXT : at])
                wanted.append(codes[at])
        return np.array(contexts), np.array(wanted)

    def _forward(self, contexts: Any) -> tuple[Any, Any, Any]:
        embed, first, bias, last, out = self.weights
        flat = embed[contexts].reshape(len(contexts), -1)
        hidden = np.tanh(flat @ first + bias)
        return hidden @ last + out, hidden, flat

    def _train(self, contexts: Any, wanted: Any, epochs: int, chance: Any) -> None:
        mean = [np.zeros_like(one) for one in self.weights]
        square = [np.zeros_like(one) for one in self.weights]
        step = 0
        for _ in range(epochs):
            order = chance.permutation(len(wanted))
            for at in range(0, len(order), BATCH):
                step += 1
                picked = order[at : at + BATCH]
                for number, slope in enumerate(self._slopes(contexts[picked], wanted[picked])):
                    mean[number] = 0.9 * mean[number] + 0.1 * slope
                    square[number] = 0.99 * square[number] + 0.01 * slope**2
                    fair = mean[number] / (1 - 0.9**step)
                    self.weights[number] -= 0.004 * fair / (np.sqrt(square[number] / (1 - 0.99**step)) + 1e-8)

    def _slopes(self, contexts: Any, wanted: Any) -> list[Any]:
        embed, first, _, last, _ = self.weights
        logits, hidden, flat = self._forward(contexts)
        odds = np.exp(logits - _log_sum(logits)[:, None])
        odds[np.arange(len(wanted)), wanted] -= 1
        odds /= len(wanted)
        back = (odds @ last.T) * (1 - hidden**2)
        embedded = np.zeros_like(embed)
        np.add.at(embedded, contexts, (back @ first.T).reshape(*contexts.shape, EMBED))
        return [embedded, flat.T @ back, back.sum(0), hidden.T @ odds, odds.sum(0)]


def _log_sum(logits: Any) -> Any:
    top = logits.max(axis=1)
    return top + np.log(np.exp(logits - top[:, None]).sum(axis=1))


@contextmanager
def served(model: TinyModel, *, likelihoods: bool = True) -> Iterator[str]:
    """An OpenAI-compatible server of it; its address. Without ``likelihoods`` only the chat endpoint."""

    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True
        wbufsize = 1 << 16

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/v1/completions" and likelihoods:
                self._say(_completion(model, asked))
            elif self.path == "/v1/chat/completions":
                self._say(_chat(model, asked))
            else:
                self.send_error(404)

        def _say(self, body: dict[str, Any]) -> None:
            raw = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    Handler.protocol_version = "HTTP/1.1"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _completion(model: TinyModel, asked: dict[str, Any]) -> dict[str, Any]:
    prompt = asked["prompt"]
    said = model.continued(prompt, asked["max_tokens"], asked["temperature"], asked.get("seed", 0))
    choice: dict[str, Any] = {"index": 0, "text": said, "finish_reason": "length"}
    if asked.get("echo"):
        text = prompt + said
        losses = model.losses(text)
        told = [None, *(-loss for loss in losses[1:])]
        choice = {**choice, "text": text, "logprobs": {"tokens": list(text), "token_logprobs": told}}
    return {"choices": [choice]}


def _chat(model: TinyModel, asked: dict[str, Any]) -> dict[str, Any]:
    prompt = asked["messages"][-1]["content"]
    said = model.continued(prompt, asked["max_tokens"], asked["temperature"], asked.get("seed", 0))
    message = {"role": "assistant", "content": said}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "model": "tiny"}
