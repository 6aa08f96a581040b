"""``ringwall data``: versions of documents and of training sets."""

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringwall.core import DataError, DeniedError, Principal

from .data_lineage import ranges
from .data_person import key_option, person
from .options import plain, show_json, show_table, site_options

if TYPE_CHECKING:
    from ringwall.boundaries.data import CollectionSettings, Commit, Vault, Version
    from ringwall.boundaries.data.training import RecordsCommit, TrainingSets
    from ringwall.workload.workbench import Workbench

_SHOWN = 20


@click.command("log")
@click.argument("collection")
@site_options
def log(collection: str, workload: Path, data_dir: Path, as_json: bool) -> None:
    """List versions and branches of a collection, newest first. With who made and who approved each. A
    branch is named COLLECTION~NAME."""
    with _bench(workload, data_dir) as bench:
        store = store_of(bench, collection)
        approved = {one.version: one.by for one in store.approvals.all(collection)}
        versions = store.lines.versions
        told = []
        for version in versions.all(collection):
            told.append({**asdict(version), "approved_by": approved.get(version.number, "")})
        branches = versions.branches(collection)
    if as_json:
        show_json({"versions": told[::-1], "branches": branches})
        return
    columns = ("number", "at", "author", "note", "approved_by")
    table = [(str(row["number"]), when(row["at"]), *(row[name] for name in columns[2:])) for row in told]
    show_table(table[::-1], ("version", "at", "author", "note", "approved by"))
    for branch in branches:
        click.echo(f"branch {branch}")


@click.command("diff")
@click.argument("collection")
@click.argument("old")
@click.argument("new", default="")
@key_option
@site_options
def diff(
    collection: str, old: str, new: str, key: str | None, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """List the ids that differ between two versions. OLD and NEW are numbers or times, or ~NAME for the
    head of a branch. Default for NEW: the current version. With a key: only for who may read what differs."""
    with _bench(workload, data_dir) as bench:
        store = store_of(bench, collection)
        before, after = (_version(store, collection, asked) for asked in (old, new))
        if key:
            by = person(bench, key)
            if not bench.governing.reads(collection, store.touched(before, after), by):
                raise DeniedError(f"{by.subject} may not look into what differs there.", "")
        difference = store.difference(before, after)
    if as_json:
        show_json({"old": before.name, "new": after.name, **asdict(difference)})
        return
    click.echo(f"{before.name} to {after.name}")
    for sign, ids in (("+", difference.added), ("-", difference.removed), ("~", difference.changed)):
        for one in ids[:_SHOWN]:
            click.echo(plain(f"{sign} {one}"))
        if len(ids) > _SHOWN:
            click.echo(f"{sign} and {len(ids) - _SHOWN:,} more")


@click.command("branch")
@click.argument("collection")
@click.argument("name")
@click.option("--at", default="", help="Version or time to start from.  [default: the current version]")
@key_option
@site_options
def branch(
    collection: str, name: str, at: str, key: str | None, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """Start a line of its own, COLLECTION~NAME. It is changed like a collection, and merged after review."""

    with _bench(workload, data_dir) as bench:
        by, store = person(bench, key), store_of(bench, collection)
        if not by.roles & set(bench.governing.settings(collection).contributors):
            raise DeniedError(f"{by.subject} may not contribute to {collection}.", "")
        number = _version(store, collection, at).number
        made = store.branch(collection, name, author=by.subject, version=number)
        bench.plant.ledger.append_now(made.event(forked=made.forked))
    show_json(asdict(made)) if as_json else click.echo(f"{made.name}, from {made.forked}")


@click.command("merge")
@click.argument("branch")
@click.option("--ours", multiple=True, help="Id of a conflict in which the collection counts.")
@click.option("--theirs", multiple=True, help="Id of a conflict in which the branch counts.")
@key_option
@site_options
def merge(
    branch: str,
    ours: tuple[str, ...],
    theirs: tuple[str, ...],
    key: str | None,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Take what a branch changed into its collection. BRANCH is COLLECTION~NAME. You need an approver role,
    be of the tenant of all that changes, and must not have made any of it. Exit code 1: conflicts, which are
    listed; say for each id whose side counts."""
    from ringwall.boundaries.data.changes import ConflictError

    resolve: dict[str, Any] = {**dict.fromkeys(ours, "ours"), **dict.fromkeys(theirs, "theirs")}
    try:
        with _bench(workload, data_dir) as bench:
            commit = bench.governing.merge(branch, person(bench, key), resolve)
            _noted(bench, commit)
    except ConflictError as conflict:
        show_json({"conflicts": conflict.ids}) if as_json else click.echo(f"error: {conflict}", err=True)
        sys.exit(1)
    _tell_commit(commit, as_json)


@click.command("rollback")
@click.argument("collection")
@click.argument("to")
@key_option
@site_options
def rollback(
    collection: str, to: str, key: str | None, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """Make a version that holds what an old one held. TO is a version or a time. The versions between stay;
    what was erased since stays erased. You need an approver role, and be of the tenant of all that changes.
    """
    with _bench(workload, data_dir) as bench:
        number = _version(store_of(bench, collection), collection, to).number
        commit = bench.governing.roll_back(collection, number, person(bench, key))
        _noted(bench, commit)
    _tell_commit(commit, as_json)


@click.command("approve")
@click.argument("collection")
@click.argument("version", type=click.IntRange(1))
@click.option("--despite", is_flag=True, help="Its review found what speaks against it, and you read that.")
@key_option
@site_options
def approve(
    collection: str,
    version: int,
    despite: bool,
    key: str | None,
    workload: Path,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Approve a version: reviews compare with it from then on. It was reviewed before (ringwall data
    review). You need an approver role, and must not have made all that is new in it. Exit code 1: your word
    is kept, and it takes somebody else's as well."""
    from ringwall.workload.data_review import DataReviews
    from ringwall.workload.review_analyses import data_reviews

    with _bench(workload, data_dir) as bench:
        reviews: DataReviews = data_reviews(bench.workload.data, bench.plant, bench.data_policies)
        approval = reviews.approve(collection, version, person(bench, key), despite=despite)
    if as_json:
        show_json(asdict(approval))
    elif approval.missing:
        click.echo(f"{collection}@{version}: noted, not approved yet. {approval.missing}")
    else:
        told = ", ".join((*approval.others, approval.by))
        click.echo(f"{collection}@{version}: approved by {told}")
    sys.exit(1 if approval.missing else 0)


@click.command("show")
@click.argument("collection")
@click.argument("item")
@click.option("--at", default="", help="Version or time.  [default: the current version]")
@key_option
@site_options
def show(
    collection: str, item: str, at: str, key: str | None, workload: Path, data_dir: Path, as_json: bool
) -> None:
    """Show a record or document, now or as it was. With it: where it came from and which versions hold it.
    You need a contributor or approver role, and be of the document's tenant."""
    with _bench(workload, data_dir) as bench:
        by = person(bench, key)
        store = store_of(bench, collection)
        settings = bench.workload.data.collections[collection.partition("~")[0]]
        if not by.roles & {*settings.contributors, *settings.approvers}:
            raise DeniedError(f"{by.subject} may not look into {collection}.", "")
        told = _item(bench, store, collection, item, _version(store, collection, at).number, by)
    if as_json:
        show_json(told)
        return
    for name, value in told.items():
        click.echo(plain(f"{name}: {value}"))


@click.command("tamper-drill")
@click.option("--sample", type=click.IntRange(1, 200), default=12, show_default=True, help="Items of each.")
@site_options
def tamper_drill(sample: int, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Damage a small store in every way and see what is found. Object by object: does verification find and
    locate it? Nothing of yours is touched. Exit code 1: something was missed."""
    from ringwall.workload.tamper_drill import drill

    outcomes = []
    shown = sys.stderr.isatty() and not as_json
    with _bench(workload, data_dir) as bench, tempfile.TemporaryDirectory(prefix="ringwall-drill-") as folder:
        for outcome in drill(bench.workload.data, bench.plant, Path(folder), sample):
            outcomes.append(outcome)
            if shown:
                click.echo(f"\r{len(outcomes)} damages done", err=True, nl=False)
    missed = [one for one in outcomes if not one.located]
    kinds = {
        kind: [one for one in outcomes if one.kind == kind] for kind in sorted({o.kind for o in outcomes})
    }
    rows = [
        (kind, str(len(some)), str(sum(one.found for one in some)), str(sum(one.located for one in some)))
        for kind, some in kinds.items()
    ]
    if as_json:
        show_json({"ok": not missed, "cases": [asdict(one) for one in outcomes]})
    else:
        show_table(rows, ("damage", "cases", "found", "located"))
        for one in missed[:_SHOWN]:
            click.echo(f"missed: {one.kind}, {one.target}", err=True)
        click.echo(f"{len(outcomes) - len(missed)} of {len(outcomes)} damages were found and located.")
    sys.exit(1 if missed else 0)


@click.command("verify-export")
@click.argument("export", type=click.Path(path_type=Path, exists=True))
@site_options
def verify_export(export: Path, workload: Path, data_dir: Path, as_json: bool) -> None:
    """Hold an export against its manifest and the vault. Row by row, with the ledger and the version that it
    was made of. Exit code 1: it differs."""
    from ringwall.boundaries.data.training.check_export import check_export, export_manifest

    said = export_manifest(export)
    with _bench(workload, data_dir) as bench:
        events = bench.plant.ledger.latest(100_000, type="data.exported")
        known = next((one.event for one in events if one.event.get("export") == said["export"]), None)
        damages = list(check_export(export, bench.plant.training, known))
    if known is None:
        damages.insert(0, _unknown())
    if as_json:
        show_json({"ok": not damages, "manifest": said, "damages": [asdict(one) for one in damages]})
    else:
        for one in damages:
            click.echo(plain(f"{one.place}: {one.message}"), err=True)
        name = f"{said['collection']}@{said['version']}"
        click.echo(f"It is {name}, as it was exported." if not damages else f"It differs from {name}.")
    sys.exit(1 if damages else 0)


COMMANDS = (log, diff, branch, merge, rollback, approve, show, tamper_drill, verify_export)


def store_of(bench: "Workbench", line: str) -> "Vault | TrainingSets":
    """Where a collection, or a branch of one, is kept. DataError when the workload does not name it."""
    return bench.governing.store(line)


def when(at: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _bench(workload: Path, data_dir: Path) -> Any:
    from ringwall.workload.workbench import workbench

    return workbench(workload, data_dir)


def _version(store: "Vault | TrainingSets", collection: str, asked: str) -> "Version":
    """A number, a time, ``~BRANCH`` for the head of one; nothing: the current version."""
    versions = store.lines.versions
    if asked and not asked.startswith("~"):
        return versions.find(collection, asked)
    head = versions.head(collection + asked)
    if head is None:
        raise DataError(f"{collection}{asked} has no version yet.")
    return head


def _noted(bench: "Workbench", commit: "Commit | RecordsCommit | None") -> None:
    if commit is not None:
        bench.plant.ledger.append_now(commit.event())


def _tell_commit(commit: "Commit | RecordsCommit | None", as_json: bool) -> None:
    if commit is None:
        show_json({"changed": False}) if as_json else click.echo("Nothing changes.")
    elif as_json:
        show_json({"changed": True, **asdict(commit)})
    else:
        click.echo(f"{commit.version.name}: {commit.version.note}")


def _item(
    bench: "Workbench",
    store: "Vault | TrainingSets",
    collection: str,
    item: str,
    version: int,
    by: Principal,
) -> dict[str, Any]:
    settings = bench.governing.settings(collection)
    if store is bench.plant.training:
        record = bench.plant.training.find(collection, item, version)
        _homely(settings, record.source.tenant, by, collection, item)
        held = [one.name for one in bench.plant.training.where(collection, item)]
        return {
            "record": record.id,
            "fields": dict(record.fields),
            "sensitivity": sorted(record.sensitivity),
            **asdict(record.source),
            "versions": held,
        }
    document = bench.plant.vault.document(collection, item, version)
    _homely(settings, document.access.tenant, by, collection, item)
    traces = bench.plant.vault.who(collection, item)
    return {
        "document": document.name,
        "title": document.title,
        "text": document.text,
        "origin": document.origin,
        "contributor": document.contributor,
        "process": document.process,
        "contribution": document.contribution,
        "licence": document.licence,
        "consent": document.consent,
        "signer": document.signer,
        "at": document.at,
        "sensitivity": sorted(document.sensitivity),
        "versions": [f"{one.name}: {collection} {ranges(one.versions)}" for one in traces],
    }


def _homely(settings: "CollectionSettings", tenant: str, by: Principal, collection: str, item: str) -> None:
    from ringwall.boundaries.data.governing import at_home

    if not at_home(settings, frozenset({tenant}), by):
        raise DeniedError(f"{by.subject} may not look into {item[:128]!r} of {collection}.", "")


def _unknown() -> Any:
    from ringwall.boundaries.data.training.check_export import ExportDamage

    return ExportDamage("manifest", "The ledger knows of no such export.")
