"""A group whose help lists its commands by what they are for."""

from collections.abc import Mapping, Sequence
from typing import Any

import click


class SectionedGroup(click.Group):
    """``sections`` names every command once, under a heading; one that it leaves out is listed last."""

    def __init__(self, *args: Any, sections: Mapping[str, Sequence[str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.sections = sections

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        placed = {name for names in self.sections.values() for name in names}
        others = [name for name in self.list_commands(ctx) if name not in placed]
        longest = max(map(len, self.commands))
        for heading, names in {**self.sections, "Other": others}.items():
            rows = [
                (name.ljust(longest), self.commands[name].get_short_help_str(formatter.width - longest - 6))
                for name in names
                if name in self.commands
            ]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)
