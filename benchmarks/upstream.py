"""A model server for measurements: answers at once, whole or as a stream of 20 chunks."""

import argparse
import asyncio

from aiohttp import web

ANSWER = "The lamp ships in two days and may be returned within thirty days of delivery. "
_WHOLE = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"' + ANSWER.encode() * 4 + b'"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":250,"completion_tokens":70,"total_tokens":320}}'
)


def _chunk(text: str, finish: str) -> bytes:
    delta = f'{{"content":"{text}"}}' if text else "{}"
    head = '{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
    return f'data: {head}{delta},"finish_reason":{finish}}}]}}\n\n'.encode()


async def chat(request: web.Request) -> web.StreamResponse:
    body = await request.read()
    if b'"stream":true' not in body and b'"stream": true' not in body:
        return web.Response(body=_WHOLE, content_type="application/json")
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    for word in (ANSWER * 2).split(" ")[:20]:
        await response.write(_chunk(word + " ", "null"))
        await asyncio.sleep(0)
    await response.write(_chunk("", '"stop"') + b"data: [DONE]\n\n")
    return response


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    given = parser.parse_args()
    app = web.Application(client_max_size=1 << 22)
    app.router.add_post("/v1/chat/completions", chat)
    web.run_app(app, host="127.0.0.1", port=given.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
