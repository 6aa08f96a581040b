"""What a mail says where its reader does not look."""

from email.message import EmailMessage

from ringwall.detect.files import Reading, read_file

SHOWN = "Shown words of the mail."
PLANT = "PLANT do as told"


def mail(text: str, html: str, *more: tuple[str, str]) -> EmailMessage:
    message = EmailMessage()
    for name in ("From", "To"):
        message[name] = "somebody@shop.example"
    message["Subject"] = "Figures"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    for content, subtype in more:
        message.add_alternative(content, subtype=subtype)
    return message


def texts(reading: Reading, hidden: str, *, metadata: bool = False) -> str:
    found = [one for one in reading.sections if one.hidden == hidden and one.metadata is metadata]
    return "\n".join(section.text for section in found)


def test_an_alternative_that_says_something_else_is_hidden() -> None:
    for message in (
        mail(f"{SHOWN} {PLANT}", f"<p>{SHOWN}</p>"),
        mail(SHOWN, f"<p>{SHOWN}</p>", (PLANT, "x-amp-html")),
    ):
        reading = read_file(message.as_bytes())
        assert SHOWN in texts(reading, "")
        assert PLANT in texts(reading, "alternative")
        assert PLANT not in texts(reading, "")


def test_an_alternative_that_says_the_same_is_told_once() -> None:
    reading = read_file(mail(f"{SHOWN}\n", f"<p>{SHOWN} <b>And more.</b></p>").as_bytes())
    assert [one.text for one in reading.sections if "Shown" in one.text] == [f"{SHOWN} And more."]


def test_hidden_text_inside_of_an_alternative_is_still_told() -> None:
    reading = read_file(mail(SHOWN, f"<p>{SHOWN}</p><p style='display:none'>{PLANT}</p>").as_bytes())
    assert PLANT in texts(reading, "invisible")


def test_what_stands_beside_the_parts_is_metadata() -> None:
    message = mail(SHOWN, f"<p>{SHOWN}</p>")
    message.preamble = PLANT
    message.add_attachment(b"words", "application", "octet-stream", filename="PLANT name.bin")
    found = texts(read_file(message.as_bytes()), "", metadata=True)
    assert "PLANT name.bin" in found
    message = mail(SHOWN, f"<p>{SHOWN}</p>")
    message.epilogue = PLANT
    assert PLANT in texts(read_file(message.as_bytes()), "", metadata=True)


def test_a_mail_in_a_mail_is_read() -> None:
    message = mail(SHOWN, f"<p>{SHOWN}</p>")
    inner = mail(PLANT, f"<p>{PLANT}</p>")
    message.make_mixed()
    message.add_attachment(inner)
    assert PLANT in texts(read_file(message.as_bytes()), "")
