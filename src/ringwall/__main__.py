"""``python -m ringwall`` is the command ``ringwall``."""

from ringwall.cli import main

main()
