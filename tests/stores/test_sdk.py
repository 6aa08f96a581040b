"""The official SDK works unchanged: upload, attach, poll, search, read, remove."""

import json
import time
from typing import Any

import openai
import pytest
from tests.stores.conftest import INJECTION, upload


def texts(found: Any) -> str:
    return "\n".join(part.text for one in found for part in one.content)


def test_a_file_is_uploaded_read_back_and_deleted(stores: Any) -> None:
    client = stores.client("editor-north")
    raw = bytes(range(256)) * 9000  # three pieces
    file = upload(client, raw, "../../etc/raw data.bin", purpose="user_data")
    assert file.filename == "raw data.bin"
    assert (file.bytes, file.purpose, file.object) == (len(raw), "user_data", "file")
    assert client.files.retrieve(file.id) == file
    assert client.files.content(file.id).read() == raw
    assert file.id in [one.id for one in client.files.list(purpose="user_data")]
    assert file.id not in [one.id for one in client.files.list(purpose="assistants")]
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)
    with pytest.raises(openai.NotFoundError):
        client.files.content(file.id)


def test_an_upload_lies_sealed(stores: Any) -> None:
    upload(stores.client("editor-north"), "the lighthouse keeper's word " * 50_000, "keeper-of-light.md")
    for path in stores.data_dir.glob("uploads.db*"):
        raw = path.read_bytes()
        assert b"lighthouse" not in raw
        assert b"keeper-of-light" not in raw


def test_an_upload_expires(stores: Any) -> None:
    client = stores.client("editor-north")
    file = upload(client, "brief", expires_after={"anchor": "created_at", "seconds": 3600})
    assert file.expires_at == pytest.approx(time.time() + 3600, abs=60)
    stores.plant.upload_database.write("UPDATE upload SET expires = 1 WHERE id = ?", file.id)
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_attach_poll_search(stores: Any) -> None:
    client = stores.client("both")
    file = upload(client, "# Awnings\n\nThe cantilever awning withstands wind force seven.", "awnings.md")
    done = client.vector_stores.files.create_and_poll(
        vector_store_id="handbook", file_id=file.id, attributes={"team": "sales", "year": 2026, "open": True}
    )
    assert (done.id, done.status, done.last_error) == (file.id, "completed", None)
    found = client.vector_stores.search("handbook", query="cantilever awning wind")
    best = found.data[0]
    assert (best.file_id, best.filename, best.score) == (file.id, "awnings.md", 1.0)
    assert "wind force seven" in best.content[0].text
    told = dict(best.attributes or {})
    assert told["team"] == "sales"
    assert (told["year"], told["open"], told["passage"]) == (2026, True, 0)
    assert told["integrity"] == "untrusted"
    assert str(told["citation"]).startswith("document:handbook/awnings-")
    assert str(told["citation"]).endswith("@1")
    assert told["origin"] == "awnings.md"


def test_each_search_is_a_decision_on_the_ledger(stores: Any) -> None:
    client = stores.client("casey")
    got = client.vector_stores.with_raw_response.search("handbook", query="How may a lamp be returned?")
    assert "forty days" in texts(got.parse().data)
    event = stores.record(got.headers["x-ringwall-decision"]).event
    assert (event["kind"], event["endpoint"]) == ("retrieval", "vector_stores")
    kinds = [one["kind"] for one in stores.turn(got.headers["x-ringwall-turn"]) if one["type"] == "decision"]
    assert kinds == ["request", "retrieval"]


def test_a_document_from_elsewhere_has_an_id_of_its_own(stores: Any) -> None:
    found = stores.client("casey").vector_stores.search("handbook", query="lamp returned forty days").data[0]
    assert found.file_id.startswith("file-")
    assert found.filename == "returns.md"
    page = stores.client("casey").vector_stores.files.content(found.file_id, vector_store_id="handbook")
    assert "forty days" in page.data[0].text


def test_filters(stores: Any, attach: Any) -> None:
    for number, team in enumerate(("red", "green", "blue"), 1):
        attach("both", f"The pergola of team {team} is built.", f"{team}.md", team=team, size=number)
    client = stores.client("both")

    def ask(given: Any) -> set[str]:
        found = client.vector_stores.search("handbook", query="pergola team", filters=given)
        return {str((one.attributes or {}).get("team")) for one in found}

    assert ask({"type": "eq", "key": "team", "value": "red"}) == {"red"}
    assert ask({"type": "gte", "key": "size", "value": 2}) == {"green", "blue"}
    assert ask({"type": "in", "key": "team", "value": ["red", "blue"]}) == {"red", "blue"}
    both = [{"type": "ne", "key": "team", "value": "red"}, {"type": "lt", "key": "size", "value": 3}]
    assert ask({"type": "and", "filters": both}) == {"green"}
    assert ask({"type": "eq", "key": "citation", "value": "document:handbook/none@1"}) == set()


def test_many_queries_and_a_threshold(stores: Any, attach: Any) -> None:
    attach("both", "A gazebo needs no permit.", "gazebo.md")
    attach("both", "A trellis carries roses.", "trellis.md")
    client = stores.client("both")
    asked = ["gazebo permit", "trellis roses"]
    got = client.vector_stores.with_raw_response.search("handbook", query=asked, rewrite_query=True)
    assert "gazebo" in texts(got.parse().data)
    assert "trellis" in texts(got.parse().data)
    assert json.loads(got.text)["search_query"] == asked  # nothing is rewritten
    best = client.vector_stores.search(
        "handbook", query="gazebo permit", ranking_options={"score_threshold": 1}
    )
    assert len(best.data) == 1
    assert len(client.vector_stores.search("handbook", query="a lamp gazebo", max_num_results=1).data) == 1


def test_quarantine_shows_as_failed_with_what_to_do(stores: Any, attach: Any) -> None:
    file = attach("editor-north", f"# Notes\n\n{INJECTION}", "planted.md")
    assert file.status == "failed"
    assert "person has to look" in file.last_error.message
    client = stores.client("editor-north")
    with pytest.raises(openai.ConflictError):
        client.vector_stores.files.delete(file.id, vector_store_id="handbook")
    assert INJECTION not in texts(
        stores.client("customer-north").vector_stores.search("handbook", query="notes")
    )


def test_a_file_that_a_person_releases_is_completed(stores: Any, attach: Any) -> None:
    import asyncio

    from ringwall.core import Principal
    from ringwall.workload.intake import contributions

    file = attach("editor-north", f"# Ledger of plants\n\n{INJECTION}", "plants.md", shelf="top")
    held = next(
        one for one in stores.plant.quarantine.waiting("handbook") if one.document.startswith("plants")
    )
    door = contributions(stores.live.site, stores.plant)
    roles = frozenset({"editor"})
    asyncio.run(door.release(held.id, Principal("second-north", "north", roles, credential="k")))
    client = stores.client("editor-north")
    again = client.vector_stores.files.retrieve(file.id, vector_store_id="handbook")
    assert (again.status, again.attributes) == ("completed", {"shelf": "top"})
    client.vector_stores.files.delete(file.id, vector_store_id="handbook")
    with pytest.raises(openai.NotFoundError):
        client.vector_stores.files.retrieve(file.id, vector_store_id="handbook")


def test_instructions_in_attributes_do_not_reach_a_model(stores: Any, attach: Any) -> None:
    attach("both", "The sundial faces south.", "sundial.md", note=INJECTION, room="hall")
    found = stores.client("both").vector_stores.search("handbook", query="sundial faces south").data[0]
    assert "sundial" in found.content[0].text
    assert "note" not in (found.attributes or {})
    assert "room" not in (found.attributes or {})


def test_a_batch(stores: Any) -> None:
    client = stores.client("editor-north")
    good = [upload(client, f"Number {number} of the orchids.", f"orchid-{number}.md") for number in range(3)]
    bad = upload(client, b"\xff\xfe\x00 not text", "broken.txt")
    batch = client.vector_stores.file_batches.create_and_poll(
        vector_store_id="handbook", file_ids=[file.id for file in (*good, bad)], poll_interval_ms=20
    )
    counts = batch.file_counts
    assert (batch.status, counts.completed, counts.failed, counts.total) == ("completed", 3, 1, 4)
    failed = client.vector_stores.file_batches.list_files(
        batch.id, vector_store_id="handbook", filter="failed"
    )
    assert [(file.id, file.last_error.code) for file in failed] == [(bad.id, "unsupported_file")]
    for file in good:
        client.vector_stores.files.delete(file.id, vector_store_id="handbook")
    assert (
        client.vector_stores.file_batches.cancel(batch.id, vector_store_id="handbook").status == "cancelled"
    )


def test_stores_are_listed_and_come_from_the_workload_file(stores: Any) -> None:
    client = stores.client("casey")
    assert [store.id for store in client.vector_stores.list()] == ["handbook"]
    store = client.vector_stores.retrieve("handbook")
    assert store.status == "completed"
    assert store.file_counts.completed >= 1
    for change in (
        lambda: stores.client("editor-north").vector_stores.create(name="mine"),
        lambda: stores.client("editor-north").vector_stores.update("handbook", name="other"),
        lambda: stores.client("editor-north").vector_stores.delete("handbook"),
    ):
        with pytest.raises(openai.PermissionDeniedError, match=r"data\.collections"):
            change()


def test_paging(stores: Any) -> None:
    client = stores.client("second-north")
    made = [upload(client, f"page {number}", f"p{number}.txt").id for number in range(5)]
    assert {file.id for file in client.files.list(limit=2)} >= set(made)  # the SDK follows the pages
    first = client.files.list(limit=2)
    assert (len(first.data), first.has_more) == (2, True)
    with pytest.raises(openai.BadRequestError):
        client.files.list(after="file-unheard-of")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"query": ""}, "query"),
        ({"query": ["x"] * 9}, "query"),
        ({"max_num_results": 51}, "max_num_results"),
        ({"filters": {"type": "like", "key": "a", "value": "b"}}, "filters"),
        ({"filters": {"type": "and", "filters": []}}, "filters"),
        ({"ranking_options": {"hybrid_search": {"text_weight": 1}}}, "ranking_options"),
        ({"ranking_options": {"ranker": {}}}, "ranking_options"),
        ({"ranking_options": {"ranker": ["auto"]}}, "ranking_options"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_is_not_understood_is_refused(stores: Any, change: Any, field: str) -> None:
    got = stores.post({"query": "lamp", **change}, "casey", "/v1/vector_stores/handbook/search")
    assert got.status_code == 400
    assert got.json()["error"]["param"] == field
    assert stores.record(got.headers["x-ringwall-decision"])


def test_bounds_of_uploads(start: Any) -> None:
    gateway = start(
        data={
            "files": {"max_bytes": 3000, "each_bytes": 5000, "each_files": 3},
            "collections": {"handbook": {"max_bytes": 200}},
        }
    )
    client = gateway.client("editor-north")
    with pytest.raises(openai.APIStatusError, match="larger than 3000") as refused:
        upload(client, "x" * 3001)
    assert refused.value.status_code == 413
    long = upload(client, "x" * 3000)
    with pytest.raises(openai.APIStatusError, match="together"):
        upload(client, "x" * 2500)
    upload(client, "x")
    upload(client, "y")
    with pytest.raises(openai.APIStatusError, match="most allowed"):
        upload(client, "z")
    file = client.vector_stores.files.create(vector_store_id="handbook", file_id=long.id)
    assert file.status == "failed"
    assert file.last_error
    assert "at most 200" in file.last_error.message


def test_who_may_not_contribute_leaves_nothing_here(stores: Any) -> None:
    with pytest.raises(openai.PermissionDeniedError):
        upload(stores.client("casey"), "hello")
    with pytest.raises(openai.AuthenticationError):
        upload(stores.client("sk-nobody"), "hello")


def test_a_file_for_fine_tuning_goes_into_no_vector_store(stores: Any) -> None:
    client = stores.client("editor-north")
    file = upload(client, '{"messages": []}', "train.jsonl", purpose="fine-tune")
    with pytest.raises(openai.BadRequestError, match="training set"):
        client.vector_stores.files.create(vector_store_id="handbook", file_id=file.id)


def test_scopes(stores: Any) -> None:
    puts, reads, talks = (stores.client(name) for name in ("puts", "reads", "talks"))
    file = upload(puts, "The scope of the telescope.", "scope.md")
    puts.vector_stores.files.create(vector_store_id="handbook", file_id=file.id)
    assert "telescope" in texts(reads.vector_stores.search("handbook", query="telescope scope"))
    for denied in (
        lambda: puts.vector_stores.search("handbook", query="scope"),
        puts.vector_stores.list,
        lambda: puts.vector_stores.files.content(file.id, vector_store_id="handbook"),
        reads.files.list,
        lambda: upload(reads, "no"),
        lambda: reads.vector_stores.files.create(vector_store_id="handbook", file_id=file.id),
        lambda: talks.vector_stores.search("handbook", query="scope"),
        talks.files.list,
    ):
        with pytest.raises(openai.PermissionDeniedError):
            denied()


def test_the_volume_budget_counts_searches(start: Any) -> None:
    gateway = start(data={"controls": {"data.volume": {"passages": 1}}})
    client = gateway.client("manager-north")
    assert client.vector_stores.search("handbook", query="lamp returned").data
    with pytest.raises(openai.PermissionDeniedError, match="as much of this collection") as over:
        client.vector_stores.search("handbook", query="purchase margin Aurora lantern")
    decision = over.value.response.headers["x-ringwall-decision"]
    assert gateway.record(decision).event["kind"] == "retrieval"
    assert gateway.record(decision).event["action"] == "block"


def test_a_filter_finds_what_ranks_below_everything(stores: Any, attach: Any) -> None:
    """Sixty passages rank above the one that fits."""
    long = "\n\n".join(f"# Part {number}\n\nHedge hedge hedge shears." for number in range(60))
    attach("both", long, "hedges.md", shelf="many")
    file = attach(
        "both", f"A word of hedge in a long text. {'Nothing of that kind. ' * 30}", "one.md", shelf="one"
    )
    client = stores.client("both")
    plain = client.vector_stores.search("handbook", query="hedge shears", max_num_results=50)
    assert file.id not in [one.file_id for one in plain]
    wanted: Any = {"type": "eq", "key": "shelf", "value": "one"}
    found = client.vector_stores.search("handbook", query="hedge shears", filters=wanted)
    assert [one.file_id for one in found] == [file.id]
    assert 0 < found.data[0].score <= 1
    assert client.vector_stores.search("handbook", query="zebra", filters=wanted).data == []
    other = stores.client("customer-south").vector_stores.search("handbook", query="hedge", filters=wanted)
    assert other.data == []


def test_a_long_file_is_read_page_by_page(stores: Any, attach: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the SDK as it is: its own iteration ends with the first page; the page tells of more."""
    monkeypatch.setattr("ringwall.server.retrieval.reading.PAGE", 3)
    file = attach("both", "\n\n".join(f"# Room {at}\n\nLamp of room {at}." for at in range(8)), "rooms.md")
    content = stores.client("both").vector_stores.files.content
    read: list[str] = []
    more: Any = "0"
    while more:
        page: Any = content(file.id, vector_store_id="handbook", extra_query={"page": more})
        read += [part.text for part in page.data]
        assert page.has_more is bool(page.next_page)
        more = page.next_page
    assert [f"of room {number}." in part for number, part in enumerate(read)] == [True] * 8


def test_the_sdk_s_helpers(stores: Any) -> None:
    client = stores.client("both")
    one = client.vector_stores.files.upload_and_poll(
        vector_store_id="handbook", file=("ferns.md", b"Ferns like shade.")
    )
    assert one.status == "completed"
    batch = client.vector_stores.file_batches.upload_and_poll(
        "handbook",
        files=[(f"moss{n}.md", f"Moss number {n}.".encode()) for n in range(3)],
        poll_interval_ms=20,
    )
    assert batch.file_counts.completed == 3


def test_what_one_contributor_alone_says_is_marked(stores: Any, attach: Any) -> None:
    attach("editor-north", "The zeppelin hangar of Bramwick opens at nine.", "hangar.md")
    reader = stores.client("both")
    (alone,) = reader.vector_stores.search("handbook", query="zeppelin hangar Bramwick").data[:1]
    assert alone.attributes["corroboration"] == "single-source"
    attach("second-north", "At nine Bramwick lets people into its hangar with the zeppelin.", "visit.md")
    borne_out = reader.vector_stores.search("handbook", query="zeppelin hangar Bramwick").data
    assert len(borne_out) >= 2
    assert not any("corroboration" in one.attributes for one in borne_out)
