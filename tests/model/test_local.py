"""With a real GGUF file at RINGWALL_TEST_GGUF; the rest runs with the bindings alone."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from ringwall.boundaries.model import (
    Admissions,
    ChatRequest,
    ModelSection,
    ProviderError,
    Router,
    build_providers,
)
from ringwall.boundaries.model.verified_file import hash_file
from ringwall.storage.database import Database

pytest.importorskip("xllamacpp")
MODEL = os.environ.get("RINGWALL_TEST_GGUF", "")
needs_model = pytest.mark.skipif(not MODEL, reason="RINGWALL_TEST_GGUF names no file")
ASK = ChatRequest(
    "m", [{"role": "user", "content": "Say hello."}], params={"max_tokens": 16, "temperature": 0}
)


def compose(path: Path, sha256: str, tmp_path: Path) -> tuple[Router, Database]:
    section = ModelSection.model_validate(
        {
            "providers": {"file": {"kind": "local", "artifact": "m", "context": 512}},
            "artifacts": {"m": {"path": str(path), "sha256": sha256}},
            "routes": {"default": {"provider": "file"}},
        }
    )
    db = Database(tmp_path / "state.db")
    book = Admissions(db, section, tmp_path)
    book.admit_declared()
    return Router(section, build_providers(section, book.open), book.admitted, strict=False), db


async def test_what_is_not_admitted_is_not_loaded(files: Any, tmp_path: Path) -> None:
    path, _ = files.put("model.gguf", files.gguf())
    router, db = compose(path, "0" * 64, tmp_path)
    with pytest.raises(ProviderError) as caught:
        await router.complete("default", ASK)
    assert (caught.value.code, caught.value.status) == ("not_admitted", 503)
    await router.close()
    await router.close()
    db.close()


async def test_an_admitted_file_that_is_no_model_fails_cleanly(files: Any, tmp_path: Path) -> None:
    path, digest = files.put("model.gguf", files.gguf())
    router, db = compose(path, digest, tmp_path)
    with pytest.raises(ProviderError) as caught:
        await router.complete("default", ASK)
    assert (caught.value.code, caught.value.status) == ("not_loaded", 503)
    await router.close()
    db.close()


@pytest.mark.parametrize(
    "content", [[{"type": "image_url", "image_url": {"url": "http://169.254.169.254/"}}], "\ud800"]
)
async def test_images_and_broken_text_never_reach_the_bindings(
    files: Any, tmp_path: Path, content: Any
) -> None:
    path, digest = files.put("model.gguf", files.gguf())
    router, db = compose(path, digest, tmp_path)
    with pytest.raises(ProviderError) as caught:
        await router.complete("default", ChatRequest("m", [{"role": "user", "content": content}]))
    assert (caught.value.code, caught.value.status) == ("bad_request", 400)
    await router.close()
    db.close()


@needs_model
async def test_a_real_model_answers(tmp_path: Path) -> None:
    path = Path(MODEL)
    router, db = compose(path, hash_file(path), tmp_path)
    reply = (await router.complete("default", ASK)).reply
    assert reply.message["content"] and reply.usage.completion_tokens > 0 and not reply.usage.estimated
    stream = await router.stream("default", ASK)
    deltas = [delta async for delta in stream]
    assert "".join(delta.content for delta in deltas) == reply.message["content"]
    assert deltas[-1].usage is not None
    with pytest.raises(ProviderError) as caught:
        await router.complete("default", ChatRequest("m", [{"role": "user", "content": "word " * 2000}]))
    assert caught.value.status == 400
    left = await router.stream("default", ASK)
    await left.aclose()
    many = await asyncio.gather(*(router.complete("default", ASK) for _ in range(2)))
    assert len(many) == 2
    await router.close()
    db.close()


@needs_model
async def test_a_real_model_with_one_flipped_byte_is_not_loaded(tmp_path: Path) -> None:
    digest = hash_file(Path(MODEL))
    copy = Path(shutil.copy(MODEL, tmp_path / "copy.gguf"))
    with copy.open("r+b") as file:
        file.seek(copy.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))
    router, db = compose(copy, digest, tmp_path)
    with pytest.raises(ProviderError) as caught:
        await router.complete("default", ASK)
    assert caught.value.code == "not_admitted"
    await router.close()
    db.close()
