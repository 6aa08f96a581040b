"""Commands that a model wrote: argument injection, shell syntax, and honest commands before a real shell."""

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ringwall import safe
from ringwall.boundaries.application.sinks.command_words import DANGEROUS, INTERPRETERS

CORPUS: dict[str, Any] = yaml.safe_load(
    (Path(__file__).with_name("corpora") / "commands.yaml").read_text("utf-8")
)
PROGRAMS: dict[str, Any] = CORPUS["programs"]


@pytest.mark.parametrize("command", CORPUS["honest"], ids=str)
def test_honest_commands_come_out_as_their_words(command: str | list[str]) -> None:
    made = safe.argv(command, PROGRAMS)
    assert list(made.argv) == (shlex.split(command) if isinstance(command, str) else command)
    assert shlex.split(made.text) == list(made.argv)
    assert safe.argv(list(made.argv), PROGRAMS) == made


def test_a_shell_reads_the_text_as_the_same_words() -> None:
    """All of them in one real shell."""
    made = [safe.argv(command, PROGRAMS) for command in CORPUS["honest"]]
    script = "".join(f"printf '%s\\0' {one.text}; printf '\\1'\n" for one in made)
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, check=True, env={"PATH": "/usr/bin:/bin"}
    )
    read = [part.split("\0")[:-1] for part in done.stdout.decode().split("\1")[:-1]]
    assert read == [list(one.argv) for one in made]


def test_made_text_is_taken_again() -> None:
    """What was quoted for a text argument is a text that is let through, as it is."""
    for command in CORPUS["honest"]:
        text = safe.argv(command, PROGRAMS).text
        if "\n" not in text:
            assert safe.argv(text, PROGRAMS).text == text


@pytest.mark.parametrize("kind", ["shell", "program", "arguments"])
def test_attacks_are_refused(kind: str) -> None:
    for command in CORPUS[kind]:
        with pytest.raises(safe.Unsafe) as caught:
            safe.argv(command, PROGRAMS)
        if kind != "arguments":
            assert caught.value.rule in (kind, "characters", "size"), command
        words = command.split() if isinstance(command, str) else command
        if kind != "program":
            with pytest.raises(safe.Unsafe):
                safe.argv(words if kind == "arguments" else command, PROGRAMS)


@pytest.mark.parametrize("program", sorted(set(DANGEROUS) - {"git"}))
def test_every_dangerous_option_is_refused_in_every_spelling(program: str) -> None:
    name, _, subcommand = program.partition(" ")
    programs: dict[str, Any] = {name: [subcommand] if subcommand else None}
    front = [name, subcommand] if subcommand else [name]
    for option in DANGEROUS[program] | (DANGEROUS["git"] if name == "git" else frozenset()):
        spellings = [[option], [option, "x"], [f"{option}=x"], ["x", option], [option, "--", "x"]]
        if option.startswith("--"):
            spellings += [[option[:length]] for length in range(4, len(option))]
        elif len(option) == 2:
            spellings += [[f"{option}x"], [f"-a{option[1]}"], [f"-a{option[1]}x"]]
        for spelling in spellings:
            with pytest.raises(safe.Unsafe):
                safe.argv([*front, *spelling], programs)
        if name != "find":
            assert safe.argv([*front, "--", option], programs).argv[-1] == option


def test_a_list_of_options_is_exact() -> None:
    programs = {"report": {"options": ["--year", "-n", "--out", "--"]}}
    for words in (
        ["--year=2026"],
        ["--year", "2026"],
        ["-n", "5"],
        ["-n5"],
        ["--out", "a.txt"],
        ["--", "--else"],
    ):
        assert safe.argv(["report", *words], programs).argv[1:] == tuple(words)
    for words in (
        ["--yea"],
        ["--years"],
        ["-nx"],
        ["-x"],
        ["--out=/etc/x"],
        ["--out", "/etc/x"],
        ["-n=../x"],
        ["-N"],
    ):
        with pytest.raises(safe.Unsafe):
            safe.argv(["report", *words], programs)


def test_absolute_paths_need_a_root(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("/etc")
    for words in (
        ["cat", f"{tmp_path}/a.txt"],
        ["ls", f"{tmp_path}"],
        ["grep", "x", f"--include={tmp_path}/y"],
    ):
        with pytest.raises(safe.Unsafe):
            safe.argv(words, PROGRAMS)
        assert safe.argv(words, PROGRAMS, roots=[tmp_path]).argv == tuple(words)
    for words in (
        ["cat", "/etc/passwd"],
        ["cat", f"{tmp_path}/../x"],
        ["cat", f"{tmp_path}/out/passwd"],
        ["cat", f"{tmp_path}x"],
    ):
        with pytest.raises(safe.Unsafe):
            safe.argv(words, PROGRAMS, roots=[tmp_path])


@pytest.mark.parametrize("program", sorted(INTERPRETERS))
def test_no_rule_can_hold_an_interpreter(program: str) -> None:
    for name in (program, f"/usr/bin/{program}", f"{program}3.12", f"{program}.exe", program.upper()):
        with pytest.raises(ValueError, match="runs what its arguments say"):
            safe.argv("x", {name: {"options": []}})


_WORDS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "git",
            "ls",
            "log",
            "status",
            "-c",
            "--output",
            "--",
            "-",
            ";",
            "|",
            "$(id)",
            "`",
            "'",
            '"',
            "\\",
            "*",
            "~",
            "/etc",
            "..",
        ]
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_WORDS, max_size=8), st.sampled_from([["git", "log"], ["ls"], ["find"], ["tar"], []]))
def test_any_words_are_refused_or_stay_as_they_are(words: list[str], front: list[str]) -> None:
    for command in ([*front, *words], " ".join([*front, *words])):
        try:
            made = safe.argv(command, PROGRAMS)
        except safe.Unsafe:
            continue
        assert made.argv[0] in PROGRAMS
        assert shlex.split(made.text) == list(made.argv)
        if isinstance(command, list):
            assert list(made.argv) == command


@pytest.mark.parametrize(
    "text",
    [
        "ls " + "'" * 8000,
        "ls " + "\\" * 8001,
        "ls " * 2000,
        "ls " + "a" * 100_000,
        '"' * 8191,
        "ls " + "--" * 4000,
    ],
)
def test_long_ones_end_in_an_answer(text: str) -> None:
    try:
        assert safe.argv(text, PROGRAMS).argv[0] == "ls"
    except safe.Unsafe as unsafe:
        assert unsafe.rule in ("size", "shell", "program", "option")
