"""A row as JSON values, to be sealed, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..records import Form, Record, Source


def to_form(row: Record) -> dict[str, Any]:
    return {
        "id": row.id,
        "fields": row.fields,
        "form": str(row.form),
        "prompt": row.prompt,
        "response": row.response,
        "rejected": row.rejected,
        "source": asdict(row.source),
        "sensitivity": sorted(row.sensitivity),
    }


def from_form(given: Mapping[str, Any]) -> Record:
    return Record(
        **{
            **given,
            "form": Form(given["form"]),
            "source": Source(**given["source"]),
            "sensitivity": frozenset(given["sensitivity"]),
        }
    )
