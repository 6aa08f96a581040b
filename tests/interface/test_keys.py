import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall.boundaries.interface import keys
from ringwall.boundaries.interface.key_policy import ApiKeySettings
from ringwall.boundaries.interface.keys import Guessing, KeyStore, bearer
from ringwall.boundaries.interface.settings import PrincipalsSection, Roles, StarterKey
from ringwall.core import ConfigError, DataError, Grant
from ringwall.storage.database import Database

ROLES = Roles(PrincipalsSection(roles={"customer": {}, "agent": {"inherits": "customer"}}))


@pytest.fixture
def db(tmp_path):
    database = Database(tmp_path / "state.db")
    yield database
    database.close()


@pytest.fixture
def store(db):
    return KeyStore(db, ROLES)


def test_a_key_proves_its_principal(store):
    key = store.create("casey", ["agent"], "brightlamp", {"customer_id": "1001"})
    principal = store.verify(key.secret)
    assert principal.subject == "casey"
    assert principal.tenant == "brightlamp"
    assert principal.roles == {"agent", "customer"}
    assert principal.attributes == {"customer_id": "1001"}
    assert principal.credential == key.id
    assert principal.authenticated
    with pytest.raises(TypeError):
        principal.attributes["customer_id"] = "1002"


def test_the_secret_is_nowhere(store, db, tmp_path):
    key = store.create("casey", ["agent"])
    token = key.secret.rsplit(key.id + "_", 1)[1]
    assert len(token) == 43
    store.verify(key.secret)
    shown = repr((key, store.list(), store.verify(key.secret), store.__dict__))
    db.write("PRAGMA wal_checkpoint(TRUNCATE)")
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token not in shown
    assert token.encode() not in stored


def test_every_single_changed_character_is_refused(store):
    secret = store.create("casey", ["agent"]).secret
    for place, char in enumerate(secret[:-1]):
        other = "A" if char != "A" else "B"
        assert store.verify(secret[:place] + other + secret[place + 1 :]) is None


def test_a_hash_copied_to_another_key_fits_nothing(store, db):
    mine, boss = store.create("casey", ["customer"]), store.create("boss", ["operator"])
    db.write("UPDATE keys SET hash = (SELECT hash FROM keys WHERE id = ?) WHERE id = ?", mine.id, boss.id)
    token = mine.secret.rsplit("_", 1)[-1] if mine.secret.count("_") == 2 else mine.secret[20:]
    store.use_roles(ROLES)
    assert store.verify(f"rw_{boss.id}_{token}") is None


def test_revoked_and_expired_keys_end(db):
    clock = [1000.0]
    store = KeyStore(db, ROLES, now=lambda: clock[0])
    key, short = store.create("casey"), store.create("robin", expires=1010.0)
    assert store.verify(key.secret)
    assert store.verify(short.secret)
    clock[0] = 1010.0
    assert store.verify(short.secret) is None
    assert store.revoke(key.id).revoked == 1010.0
    assert store.verify(key.secret) is None
    clock[0] = 1020.0
    assert store.revoke(key.id).revoked == 1010.0
    with pytest.raises(DataError):
        store.revoke("nothing")
    with pytest.raises(DataError):
        store.revoke("\ud800")


def test_a_key_for_one_application_opens_no_other(store):
    key = store.create("casey", applications=["shop"])
    grant = store.verify(key.secret).grant
    assert grant.allows("chat", "shop")
    assert not grant.allows("chat", "admin")
    assert not grant.allows("chat")


MAKE = """
import sys, pathlib
from ringwall.boundaries.interface.keys import KeyStore
from ringwall.storage.database import Database
store = KeyStore(Database(pathlib.Path(sys.argv[1])))
print(store.create("other").secret) if sys.argv[2] == "create" else store.revoke(sys.argv[2])
"""


def test_keys_of_another_process_count_at_once(store, db):
    def other(word):
        done = subprocess.run(
            [sys.executable, "-c", MAKE, str(db.path), word], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    mine = store.create("casey")
    assert store.verify(mine.secret)
    theirs = other("create")
    assert store.verify(theirs).subject == "other"
    other(mine.id)
    assert store.verify(mine.secret) is None


def test_a_revoked_key_can_not_slip_back_into_the_cache(store):
    """Threads verify all the while; after revoke() returns, none may get in."""
    for _ in range(20):
        key = store.create("casey")
        over, late = threading.Event(), []

        def hammer(secret=key.secret, over=over, late=late):
            while not over.is_set():
                store.verify(secret)
            late.append(store.verify(secret))

        threads = [threading.Thread(target=hammer) for _ in range(3)]
        for thread in threads:
            thread.start()
        store.revoke(key.id)
        over.set()
        for thread in threads:
            thread.join()
        assert late == [None, None, None]


@given(st.one_of(st.text(), st.text(alphabet="rw_0123456789abcdefAZ-", max_size=80), st.binary(), st.none()))
@settings(max_examples=100)
def test_no_input_raises_or_opens(secret):
    assert STRAY.verify(secret) is None


@pytest.fixture(autouse=True, scope="module")
def _stray(tmp_path_factory):
    global STRAY  # noqa: PLW0603
    database = Database(tmp_path_factory.mktemp("keys") / "state.db")
    STRAY = KeyStore(database, ROLES)
    yield
    database.close()


@pytest.mark.parametrize(
    "secret", ["rw_" * 5_000_000, "rw_0123456789abcdef_" + "é" * 43, "\ud800" * 60, "\0"]
)
def test_hostile_secrets(store, secret):
    assert store.verify(secret) is None


@pytest.mark.parametrize("name", ["", "anonymous", "a b", "a\n", "x" * 201, "\ud800", "a\0", "é"])
def test_names_that_can_not_be_are_refused(store, name):
    with pytest.raises(DataError):
        store.create(name)
    if name != "anonymous":
        with pytest.raises(DataError):
            store.create("casey", tenant=name)


def test_wrong_roles_attributes_and_expiries_are_refused(store):
    with pytest.raises(ConfigError, match="did you mean 'agent'"):
        store.create("casey", ["agnt"])
    for attributes in ({"a": 1}, {"a": "x" * 9000}, {"a": "\ud800"}):
        with pytest.raises(DataError):
            store.create("casey", attributes=attributes)
    for expires in (0.0, float("nan"), float("inf")):
        with pytest.raises(DataError):
            store.create("casey", expires=expires)
    assert store.list() == []


def test_starter_keys_are_made_once_and_stay_revoked(store):
    starters = [StarterKey(subject="casey", roles=["agent"], tenant="t"), StarterKey(subject="robin")]
    made = store.ensure(starters)
    assert [starter.subject for starter, _ in made] == ["casey", "robin"]
    store.revoke(made[0][1].id)
    assert store.ensure(starters) == []


def test_roles_of_a_reloaded_file_count_at_once(store):
    key = store.create("casey", ["agent"])
    assert "customer" in store.verify(key.secret).roles
    store.use_roles(Roles(PrincipalsSection(roles={"agent": {}})))
    assert store.verify(key.secret).roles == {"agent"}
    store.use_roles(Roles())
    assert store.verify(key.secret).roles == set()


def test_bearer():
    assert bearer("Bearer  rw_x ") == "rw_x"
    assert bearer("bearer rw_x") == "rw_x"
    assert bearer("Basic rw_x") == bearer("Bearer") == bearer("") == ""


def test_guessing_earns_a_growing_pause_that_ends():
    clock = [0.0]
    guessing = Guessing(free=3, longest_s=8.0, now=lambda: clock[0])
    assert [guessing.failed("192.0.2.1") for _ in range(8)] == [0, 0, 0, 1, 2, 4, 8, 8]
    assert guessing.wait("192.0.2.1") == 8
    assert guessing.wait("192.0.2.2") == 0
    clock[0] = 8.0
    assert guessing.wait("192.0.2.1") == 0
    guessing.succeeded("192.0.2.1")
    assert guessing.failed("192.0.2.1") == 0


def test_one_ipv6_host_can_not_hide_in_its_network():
    guessing = Guessing(free=3)
    waits = [guessing.failed(f"2001:db8::{number:x}") for number in range(5)]
    assert waits[-1] > 0
    assert guessing.failed("2001:db8:0:1::1") == 0
    assert [guessing.failed("::ffff:192.0.2.1"), guessing.wait("192.0.2.1")] == [0, 0]


def test_guessing_forgets_the_oldest_and_survives_any_address():
    guessing = Guessing(free=0)
    for number in range(10_050):
        guessing.failed(f"host-{number}")
    assert len(guessing._failures) == 10_000
    guessing.failed("\ud800" * 1000)


@pytest.fixture
def timed(db):
    clock = [1_000.0]
    return KeyStore(db, ROLES, now=lambda: clock[0]), clock


def test_a_rotated_key_has_two_secrets_until_the_overlap_ends(timed):
    store, clock = timed
    first = store.create("casey", ["agent"], scopes=["chat"])
    second, info = store.rotate(first.id, overlap_s=3600)
    assert second.id == first.id
    assert second.secret != first.secret
    assert info.overlap_until == 4_600.0
    for secret in (first.secret, second.secret):
        assert store.verify(secret).grant.scopes == {"chat"}
    clock[0] = 4_600.0
    assert store.verify(first.secret) is None
    assert store.verify(second.secret)
    third, _ = store.rotate(first.id, overlap_s=0)
    assert store.verify(second.secret) is None
    fourth, _ = store.rotate(first.id)
    assert store.verify(second.secret) is None  # the one before the last is over, whatever its overlap was
    assert store.verify(third.secret)
    store.revoke(first.id)
    assert store.verify(third.secret) is None
    assert store.verify(fourth.secret) is None
    with pytest.raises(DataError):
        store.rotate(first.id)


def test_an_overlap_does_not_outlive_the_key(timed):
    store, clock = timed
    first = store.create("casey", expires=2_000.0)
    second, info = store.rotate(first.id, overlap_s=86_400)
    assert info.overlap_until == 2_000.0
    assert info.expires == 2_000.0  # as long as it was given before
    clock[0] = 1_500.0
    _, info = store.rotate(first.id, overlap_s=10)
    assert info.expires == 2_500.0
    clock[0] = 2_500.0
    assert store.verify(second.secret) is None
    with pytest.raises(DataError, match="expired"):
        store.rotate(first.id)
    for overlap in (-1, 31 * 86_400):
        with pytest.raises(DataError):
            store.rotate(store.create("robin").id, overlap_s=overlap)


def test_the_workload_says_how_long_keys_live(timed):
    store, _ = timed
    day = 86_400.0
    store.use_roles(ROLES, ApiKeySettings(expire_days=90, longest_days=100))
    assert store.create("casey").id
    assert store.list()[0].expires == 1_000.0 + 90 * day
    with pytest.raises(DataError, match="100 days"):
        store.create("casey", expires=1_000.0 + 101 * day)
    made = store.ensure([StarterKey(subject="robin", scopes=["chat"], applications=["shop"])])
    info = next(key for key in store.list() if key.id == made[0][1].id)
    assert (info.expires, info.scopes, info.applications) == (1_000.0 + 90 * day, ("chat",), ("shop",))
    assert info.near_expiry(info.expires - day, 2 * day)
    assert not info.near_expiry(info.expires - 3 * day, 2 * day)
    assert not info.near_expiry(info.expires, 2 * day)
    secret = store.create("avery").secret
    store.use_roles(ROLES, ApiKeySettings(enabled=False))
    assert store.verify(secret) is None


def test_the_last_use_is_kept_but_not_at_every_request(timed):
    store, clock = timed
    key = store.create("casey")
    assert store.list()[0].used is None
    for clock[0], used in ((1_100.0, 1_100.0), (1_130.0, 1_100.0), (1_170.0, 1_170.0)):
        assert store.verify(key.secret)
        assert store.list()[0].used == used
    store.verify(key.secret[:-2] + "AA")
    assert store.list()[0].used == 1_170.0


def test_scopes_that_there_are_none(store):
    with pytest.raises(ConfigError, match="chat"):
        store.create("casey", scopes=["everything"])


def test_keys_of_an_older_database_are_taken_over(db):
    db.migrate("keys", keys._MIGRATIONS[:1])
    secret = "A" * 43
    for key, application in (("0" * 16, ""), ("1" * 16, "shop")):
        db.write(
            "INSERT INTO keys VALUES (?, ?, 'casey', 'default', '[\"agent\"]', '{}', ?, 1.0, NULL, NULL)",
            key, keys._hash(key, secret), application,
        )  # fmt: skip
    store = KeyStore(db, ROLES)
    for _ in range(2):
        free = store.verify(f"rw_{'0' * 16}_{secret}")
        bound = store.verify(f"rw_{'1' * 16}_{secret}")
        assert free.grant.allows("chat", "anything")
        assert not bound.grant.allows("chat", "anything")
        assert bound.grant.allows("chat", "shop")
        store = KeyStore(db, ROLES)


def test_guesses_at_one_key_from_many_addresses_add_up():
    guessing = Guessing(free=3)
    waits = [guessing.failed(f"10.0.0.{n}", "0" * 16) for n in range(6)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3:] == [1, 2, 4]
    assert guessing.failed("10.0.0.99", "1" * 16) == 0
    guessing.succeeded("10.0.1.1", "0" * 16)
    assert guessing.failed("10.0.0.98", "0" * 16) == 0


NAMES = st.frozensets(st.sampled_from("abc"), max_size=3)


@given(st.one_of(st.none(), NAMES), NAMES, st.one_of(st.none(), NAMES), NAMES)
def test_two_grants_together_allow_what_both_do(left, left_apps, right, right_apps):
    one, two = Grant(left, left_apps), Grant(right, right_apps)
    both = one.meet(two)
    for scope in "abc":
        for application in "abc":
            each = one.allows(scope, application) and two.allows(scope, application)
            assert (both is not None and both.allows(scope, application)) == each
