"""Nobody sees another's file or chunk: random principals and lists, through HTTP."""

import itertools
from typing import Any

import httpx2 as httpx
import openai
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.stores.conftest import TENANTS, upload

_NUMBERS = itertools.count()
_ROLES = ("editor", "customer", "manager")
_READS = {"customer", "manager"}  # a manager is a customer as well
SUBJECTS = [f"{role}-{tenant}" for role in _ROLES for tenant in TENANTS] + ["second-north", "both"]
LISTS = [
    (),
    ("manager",),
    ("subject:customer-north",),
    ("subject:customer-south", "manager"),
    ("subject:both",),
]
QUICK = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def tenant_of(subject: str) -> str:
    return "north" if subject in ("second-north", "both") else subject.partition("-")[2]


def roles_of(subject: str) -> set[str]:
    role = {"second-north": "editor", "both": "customer"}.get(subject, subject.partition("-")[0])
    return {"manager", "customer"} if role == "manager" else {role}


def may_read(subject: str, owner: str, readers: tuple[str, ...]) -> bool:
    if not roles_of(subject) & _READS or tenant_of(subject) != tenant_of(owner):
        return False
    return not readers or f"subject:{subject}" in readers or bool(roles_of(subject) & set(readers))


@QUICK
@given(
    owner=st.sampled_from(["editor-north", "editor-south"]),
    readers=st.sampled_from(LISTS),
    asking=st.lists(st.sampled_from(SUBJECTS), min_size=2, max_size=4, unique=True),
    query=st.sampled_from(["{word}", "the door number {word}", "door {word} today"]),
)
def test_no_principal_sees_what_it_may_not(
    stores: Any, owner: str, readers: tuple[str, ...], asking: list[str], query: str
) -> None:
    word = f"zq{next(_NUMBERS)}xv"
    front = f"---\nreaders: [{', '.join(repr(one) for one in readers)}]\n---\n" if readers else ""
    mine = stores.client(owner)
    file = upload(mine, f"{front}The door number is {word} today.", f"{word}.md")
    attached = mine.vector_stores.files.create(
        vector_store_id="handbook", file_id=file.id, attributes={"note": f"about {word}"}
    )
    assert attached.status == "completed"
    for subject in asking:
        readable = may_read(subject, owner, readers)
        shown = everything(stores, subject, query.format(word=word), file.id)
        assert (f"number is {word}" in shown) == readable, (subject, owner, readers)
        assert (f"about {word}" in shown) == (readable or subject == owner)
        if subject != owner:
            foreign_file(stores, subject, file.id)


def everything(stores: Any, subject: str, query: str, file: str) -> str:
    """All that the principal gets out of every way to read."""
    headers = {"authorization": f"Bearer {stores.keys[subject]}"}
    base = f"{stores.url}/v1/vector_stores/handbook"
    with httpx.Client(headers=headers, timeout=60) as http:
        answers = [
            http.post(f"{base}/search", json={"query": [query, "door number today"], "max_num_results": 50}),
            http.get(f"{base}/files/{file}/content"),
            http.get(f"{base}/files"),
            http.get(f"{stores.url}/v1/vector_stores"),
            http.get(f"{stores.url}/v1/files"),
        ]
    assert all(answer.status_code < 500 for answer in answers)
    return "\n".join(answer.text for answer in answers)


def foreign_file(stores: Any, subject: str, file: str) -> None:
    """Every way to somebody else's upload ends alike, as for a file that never was."""
    client = stores.client(subject)
    for wanted in (file, "file-" + "0" * 32):
        for way in (
            client.files.retrieve,
            client.files.content,
            client.files.delete,
            lambda one: client.vector_stores.files.create(vector_store_id="handbook", file_id=one),
            lambda one: client.vector_stores.files.retrieve(one, vector_store_id="handbook"),
            lambda one: client.vector_stores.files.update(one, vector_store_id="handbook", attributes={}),
            lambda one: client.vector_stores.files.delete(one, vector_store_id="handbook"),
            lambda one: client.vector_stores.file_batches.create("handbook", file_ids=[one]),
        ):
            with pytest.raises((openai.NotFoundError, openai.PermissionDeniedError)):
                way(wanted)


def test_the_same_name_in_two_tenants_is_two_documents(stores: Any) -> None:
    """And neither learns of the other's."""
    made = []
    for tenant in TENANTS:
        client = stores.client(f"editor-{tenant}")
        file = upload(client, f"The plan of {tenant} for the orangery.", "plan.md")
        made.append(client.vector_stores.files.create(vector_store_id="handbook", file_id=file.id))
    assert [one.status for one in made] == ["completed", "completed"]
    for tenant in TENANTS:
        found = stores.client(f"customer-{tenant}").vector_stores.search("handbook", query="plan orangery")
        texts = [part.text for one in found for part in one.content if "orangery" in part.text]
        assert len(texts) == 1
        assert f"plan of {tenant}" in texts[0]


def test_an_erased_persons_uploads_are_gone(stores: Any) -> None:
    client = stores.client("second-north")
    file = upload(client, "mine alone", "alone.txt")
    assert client.files.content(file.id).read() == b"mine alone"
    stores.plant.envelope.erase("north/second-north")
    got = httpx.get(
        f"{stores.url}/v1/files/{file.id}/content",
        headers={"authorization": f"Bearer {stores.keys['second-north']}"},
        timeout=60,
    )
    assert got.status_code == 400
    assert "mine alone" not in got.text
    after = upload(client, "after", "after.txt")
    assert [one.id for one in client.files.list()] == [after.id]
