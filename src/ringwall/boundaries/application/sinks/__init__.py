"""Places where a model's text becomes code: a database, a page, a file system, a process.

Each module reads the text as its sink would, refuses what it can't vouch for, and writes the text anew
from what it has read: nothing that only another reader would see is left in it. Pure, bounded, and none of
them runs anything.
"""
