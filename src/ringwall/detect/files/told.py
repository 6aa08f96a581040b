"""What is told to people about a file: one sentence for each mark, and for each reason not to read it."""

MESSAGES = {
    "active-content": "The file runs something when it is opened or used.",
    "embedded-file": "There is another file inside the file.",
    "embedded-object": "There is an object of another program inside the file.",
    "external-link": "The file loads something from elsewhere.",
    "frames": "The picture has several frames.",
    "macros": "There are macros in the file.",
    "mismatch": "The file is something else than what it is sent as.",
    "polyglot": "Different readers would see different things in this file.",
    "program": "There is a program in the file.",
    "script": "There is a script in the page.",
    "trailing-data": "There is something behind the end of the file.",
    "unread": "Something in the file could not be read.",
}
REFUSALS = {
    "busy": "Too many files are being read at the moment: try again.",
    "crashed": "The file could not be read: its reader broke down over it.",
    "damaged": "The file is damaged.",
    "encrypted": "The file is encrypted: send it without a password.",
    "entities": "The file defines XML entities, which a document has no need of.",
    "limit": "The file is too large, or holds too much.",
    "ocr": "The text in the picture could not be read.",
    "pixels": "The picture has too many pixels.",
    "program": "The file is a program.",
    "time": "The file could not be read in the time there is.",
    "type": "Files of this kind are not taken here.",
    "unsupported": "Files of this kind can't be read here.",
}
