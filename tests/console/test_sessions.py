"""The store of sessions: bounded, and not to be pushed out by one person."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.console import sessions
from ringwall.console.sessions import Exchange, SessionStore
from ringwall.core import Principal


def person(name: str) -> Principal:
    return Principal(name, credential="k")


def test_one_person_does_not_push_out_the_others():
    store = SessionStore()
    other = store.begin(person("other"))
    mine = [store.begin(person("me")) for _ in range(sessions.MAX_PER_SUBJECT * 3)]
    assert len(store) == sessions.MAX_PER_SUBJECT + 1
    assert store.find(other)
    assert store.find(mine[-1]) and not store.find(mine[0])


def test_the_store_is_bounded(monkeypatch):
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 5)
    store = SessionStore()
    keys = [store.begin(person(f"p{number}")) for number in range(9)]
    assert len(store) == 5
    assert store.find(keys[-1]) and not store.find(keys[0])


def test_ids_and_tokens_are_long_and_never_alike():
    store = SessionStore()
    keys = {store.begin(person(f"p{number}")) for number in range(200)}
    tokens = {session.csrf for key in keys if (session := store.find(key))}
    assert len(keys) == len(tokens) == 200
    assert all(len(value) == 43 for value in keys | tokens) and not keys & tokens


@given(st.text(max_size=60))
@settings(max_examples=80)
def test_no_other_id_or_token_is_accepted(text):
    store = SessionStore()
    session = store.find(store.begin(person("me")))
    assert session is not None
    assert store.find(text) is None
    assert not session.accepts(text)


def test_conversations_are_bounded_and_belong_to_an_application():
    store = SessionStore()
    session = store.find(store.begin(person("me")))
    assert session is not None
    first = session.conversation("assistant")
    assert session.conversation("assistant") is first
    assert session.conversation("assistant", "new") is first  # still empty: no need for another
    for number in range(sessions.MAX_EXCHANGES + 20):
        first.keep(Exchange(f"q{number}", "a", "t", "stop"))
    assert len(first.exchanges) == sessions.MAX_EXCHANGES
    assert session.conversation("assistant", "new") is not first
    try:
        session.conversation("else", first.id)
    except LookupError:
        pass
    else:
        raise AssertionError("a conversation was opened under another application")
    for _ in range(40):
        session.conversation("assistant", "new").keep(Exchange("q", "a", "t", "stop"))
    assert len(session.conversations) <= sessions.MAX_CONVERSATIONS
