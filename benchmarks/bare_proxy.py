"""The limit that a Python gateway could reach: aiohttp passing bytes through, and nothing else."""

import argparse

import aiohttp
from aiohttp import web


async def chat(request: web.Request) -> web.StreamResponse:
    session: aiohttp.ClientSession = request.app["session"]
    body = await request.read()
    headers = {"content-type": "application/json"}
    async with session.post(request.app["upstream"], data=body, headers=headers) as answer:
        response = web.StreamResponse(status=answer.status, headers={"content-type": answer.content_type})
        await response.prepare(request)
        async for piece in answer.content.iter_any():
            await response.write(piece)
        await response.write_eof()
        return response


async def _start(app: web.Application) -> None:
    app["session"] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=256))


async def _stop(app: web.Application) -> None:
    await app["session"].close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("upstream", help="address of the model server")
    given = parser.parse_args()
    app = web.Application(client_max_size=1 << 22)
    app["upstream"] = given.upstream
    app.on_startup.append(_start)
    app.on_cleanup.append(_stop)
    app.router.add_post("/v1/chat/completions", chat)
    web.run_app(app, host="127.0.0.1", port=given.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
