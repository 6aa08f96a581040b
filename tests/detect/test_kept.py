"""What is kept between processes: the same as made anew, and nothing that another could have written."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ringwall.detect import analysis, compiled, kept
from ringwall.detect.compiled import database_of
from ringwall.detect.engine import Engine
from ringwall.detect.rules import builtin

KEY, CONTENT = b"\x01" * 32, b"compiled" * 100
hyperscan = pytest.importorskip("hyperscan")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "ringwall" / "patterns"


def only(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_is_private_and_comes_back(folder: Path) -> None:
    kept.put("patterns", KEY, CONTENT)
    assert kept.get("patterns", KEY) == CONTENT
    assert kept.get("patterns", b"\x02" * 32) is None
    assert only(folder).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700


def flipped(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def of_another_key(file: Path) -> None:
    kept.put("patterns", b"\x02" * 32, b"another")
    file.with_name("02" * 32).replace(file)


def a_link(file: Path) -> None:
    file.replace(file.parent.parent / "moved")
    file.symlink_to(file.parent.parent / "moved")


def a_linked_folder(file: Path) -> None:
    file.parent.rename(file.parent.with_name("moved"))
    file.parent.symlink_to(file.parent.with_name("moved"))


def a_link_on_the_way(file: Path) -> None:
    whole = file.parent.parent
    whole.rename(whole.with_name("moved"))
    whole.symlink_to(whole.with_name("moved"))


def grown(file: Path) -> None:
    with file.open("r+b") as sparse:
        sparse.truncate(kept.MOST_BYTES + 1)


def a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file, 0o600)


@pytest.mark.parametrize(
    "tampered",
    [
        flipped,
        of_another_key,
        a_link,
        a_linked_folder,
        a_link_on_the_way,
        grown,
        a_pipe,
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: file.write_bytes(b""),
        lambda file: file.chmod(0o620),
        lambda file: file.parent.chmod(0o770),
        lambda file: file.parent.parent.chmod(0o777),
        lambda file: file.parent.parent.parent.chmod(0o777),
    ],
)
def test_what_is_in_doubt_is_not_taken(folder: Path, tampered: Callable[[Path], object]) -> None:
    kept.put("patterns", KEY, CONTENT)
    tampered(only(folder))
    assert kept.get("patterns", KEY) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("up", [-1, 0, 1, 2])
def test_of_another_user(folder: Path, up: int) -> None:
    kept.put("patterns", KEY, CONTENT)
    os.chown([only(folder), folder, *folder.parents][up + 1], 12345, -1)
    assert kept.get("patterns", KEY) is None


def test_where_everybody_may_put_something(folder: Path) -> None:
    """As in ``/tmp``: there nobody can take away what is another one's."""
    folder.parent.parent.mkdir()
    folder.parent.parent.chmod(0o1777)
    kept.put("patterns", KEY, CONTENT)
    assert kept.get("patterns", KEY) == CONTENT
    folder.parent.parent.chmod(0o777)
    assert kept.get("patterns", KEY) is None


def test_somebody_else_as_seen_by_this_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.put("patterns", KEY, CONTENT)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert kept.get("patterns", KEY) is None


@pytest.mark.parametrize("home", ["/dev/null", "/proc/nowhere", "relative", ""])
def test_no_place_is_no_error(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    monkeypatch.setenv("HOME", "/dev/null")
    monkeypatch.chdir(tmp_path)
    kept.put("patterns", KEY, CONTENT)
    assert kept.get("patterns", KEY) is None
    assert not list(tmp_path.iterdir())


def test_old_ones_make_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_FILES", 3)
    for number in range(5):
        kept.put("patterns", bytes([number]) * 32, CONTENT)
        os.utime(folder / (f"{number:02x}" * 32), (number + 1000, number + 1000))
        assert kept.get("patterns", bytes(32)) == CONTENT  # used again, so it stays
    assert {file.name[:2] for file in folder.iterdir()} == {"00", "03", "04"}
    monkeypatch.setattr(kept, "ROOM", 2 * (folder / ("00" * 32)).stat().st_size)
    stale = folder / ("aa" * 32 + ".1-1")
    stale.touch()
    os.utime(stale, (1, 1))
    kept.put("patterns", KEY, CONTENT)
    assert {file.name[:2] for file in folder.iterdir()} == {"00", "01"}


def test_too_large_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", len(CONTENT))
    kept.put("patterns", KEY, CONTENT)
    assert not folder.exists()


def test_many_at_once(folder: Path) -> None:
    def both(number: int) -> bytes | None:
        kept.put("patterns", KEY, CONTENT)
        return kept.get("patterns", KEY)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(both, range(64))) == {CONTENT}
    assert only(folder).name == KEY.hex()


def test_a_failed_write_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_places: object, **_folders: object) -> None:
        raise OSError("no space is left")

    monkeypatch.setattr(os, "replace", full)
    kept.put("patterns", KEY, CONTENT)
    assert not list(folder.iterdir())


@pytest.fixture
def keeps_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_WORTH", -1.0)
    monkeypatch.setattr(analysis, "_WORTH", -1.0)


@pytest.mark.usefixtures("keeps_all")
def test_kept_matches_as_compiled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = [rule for rule in builtin() if rule.cls == "injection" or rule.cls.startswith("pii")][::9]
    texts = [text for rule in rules for text in (*rule.positive, *rule.negative)]
    first = Engine(rules)
    wanted = [(first.scan(text), sorted(first.present(text))) for text in texts]
    assert any(hits for hits, _ in wanted)
    assert len(list(folder.iterdir())) == 4

    def again(*_: object) -> None:
        raise AssertionError("it was kept")

    monkeypatch.setattr(compiled, "_compiled", again)
    monkeypatch.setattr(analysis, "looks", again)
    second = Engine(rules)
    assert [(second.scan(text), sorted(second.present(text))) for text in texts] == wanted


@pytest.mark.usefixtures("keeps_all")
def test_another_key_for_each_difference(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def count() -> int:
        return len(list(folder.iterdir()))

    database_of([(1, b"abc", 0), (2, b"de", 0)], once=False)
    for wanted, once in (
        ([(1, b"abc", 0), (2, b"de", 0)], True),
        ([(1, b"abd", 0), (2, b"de", 0)], False),
        ([(3, b"abc", 0), (2, b"de", 0)], False),
        ([(1, b"abc", hyperscan.HS_FLAG_CASELESS), (2, b"de", 0)], False),
        ([(1, b"abc2 0 2:de", 0)], False),
    ):
        before = count()
        database_of(wanted, once=once)
        assert count() == before + 1
    monkeypatch.setattr(compiled, "_machine", lambda: b"another processor")
    before = count()
    database_of([(1, b"abc", 0), (2, b"de", 0)], once=False)
    assert count() == before + 1
    monkeypatch.setattr(compiled, "_machine", lambda: b"")  # one that does not tell
    database_of([(1, b"xyz", 0)], once=False)
    assert count() == before + 1


@pytest.mark.usefixtures("folder", "keeps_all")
def test_what_the_library_refuses_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "get", lambda _kind, _key: b"no database")
    seen: list[int] = []
    database_of([(7, b"abc", 0)], once=True).scan(b"abc", match_event_handler=lambda at, *_: seen.append(at))
    assert seen == [7]


SCRIPT = """
import sys
from ringwall.detect import analysis, compiled
from ringwall.detect.engine import Engine
from ringwall.detect.rules import builtin

compiled._WORTH = analysis._WORTH = -1.0
if "kept" in sys.argv:
    del compiled._compiled
rules = builtin()[::20]
print([[hit.rule.id for hit in Engine(rules).scan(text)] for text in rules[3].positive])
"""


def test_another_process_takes_it(folder: Path) -> None:
    def ran(seed: str, *arguments: str) -> str:
        command, told = [sys.executable, "-c", SCRIPT, *arguments], {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run(command, capture_output=True, text=True, check=True, env=told).stdout

    first = ran("1")
    assert "[[" in first
    assert ran("2", "kept") == first  # whatever order its sets have


@pytest.mark.usefixtures("folder", "keeps_all")
def test_an_analysis_is_of_its_rules_and_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = builtin()[::30]
    first = analysis.analysed(rules)
    assert analysis.analysed(rules) == first
    assert analysis.analysed(rules[::-1]) != first
    changed = [replace(rule, sensitive=not rule.sensitive) for rule in rules]
    assert analysis.analysed(changed) != first
    monkeypatch.setattr(analysis, "_code", lambda: b"of another version")
    monkeypatch.setattr(analysis, "looks", lambda _: [])
    assert analysis.analysed(rules).looks == []
    monkeypatch.setattr(analysis, "_code", lambda: b"")  # not to be read
    monkeypatch.setattr(kept, "get", lambda _kind, _key: pytest.fail("there is no key"))
    assert analysis.analysed(rules).looks == []
