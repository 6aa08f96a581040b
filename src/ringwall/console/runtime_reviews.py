"""The pages of collections on the running gateway. Reviews run in a process of their own: they keep a core
busy for minutes, and the gateway has other things to do."""

import asyncio
import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from ringwall.core import DataError, Principal, RingwallError
from ringwall.server.gateway import Gateway
from ringwall.workload.data_review import DataReviews, State
from ringwall.workload.review_analyses import data_reviews
from ringwall.workload.workbench import workbench

from .shown import CollectionInfo

_logger = logging.getLogger("ringwall.console")


class RunningReviews:
    """At most one at a time for each collection."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._running: dict[str, asyncio.Task[None]] = {}
        self.failed: dict[str, str] = {}
        """Why the last one of a collection came to nothing."""

    async def collections(self, principal: Principal) -> list[CollectionInfo]:
        """Every collection of the workload, with its newest review."""
        reviews = self._reviews()
        return await asyncio.to_thread(
            lambda: [self._info(state, principal, reviews) for state in reviews.states()]
        )

    async def start(self, collection: str, by: Principal) -> None:
        """Begin a review in the background. DataError when one is running, or there is nothing to review."""
        if collection in self._running:
            raise DataError(f"A review of {collection} is running: it takes a while.")
        state = await asyncio.to_thread(self._reviews().state, collection)
        if state.version is None:
            raise DataError(f"Collection {collection} holds nothing that could be reviewed.")
        if collection in self._running:  # somebody else's request was faster
            raise DataError(f"A review of {collection} is running: it takes a while.")
        self.failed.pop(collection, None)
        self._running[collection] = asyncio.create_task(self._run(collection, by.subject))

    async def approve(self, collection: str, version: int, by: Principal, *, despite: bool) -> str:
        """What its approval still takes; empty when it is approved. Raises RingwallError with the reason when
        this person may not."""
        approve = self._reviews().approve
        approval = await asyncio.to_thread(approve, collection, version, by, despite=despite)
        return approval.missing

    async def _run(self, collection: str, by: str) -> None:
        live = self._gateway.live
        context = multiprocessing.get_context("spawn")
        try:
            with ProcessPoolExecutor(1, context) as pool:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(pool, _review, live.path, live.plant.data_dir, collection, by)
        except RingwallError as error:
            self.failed[collection] = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a review brings up, the gateway goes on
            _logger.error("the review of %s ended with a %s", collection, type(error).__name__)
            self.failed[collection] = "The review broke off: see the log of the server, and try again."
        finally:
            self._running.pop(collection, None)

    def _reviews(self) -> DataReviews:
        site = self._gateway.site
        return data_reviews(site.workload.data, self._gateway.live.plant, site.data_policies)

    def _info(self, state: State, principal: Principal, reviews: DataReviews) -> CollectionInfo:
        settings = self._gateway.site.workload.data.collections[state.collection]
        approvers = settings.approvers or settings.contributors
        return CollectionInfo(
            name=state.collection,
            kind=state.kind,
            records=state.records,
            version=state.version.number if state.version else 0,
            chain=state.version.chain if state.version else "",
            at=state.version.at if state.version else 0,
            author=state.version.author if state.version else "",
            approved=state.approved.number if state.approved else 0,
            waiting=state.waiting,
            review=state.review,
            running=state.collection in self._running,
            failed=self.failed.get(state.collection, ""),
            may_approve=bool(principal.roles & set(approvers)),
            may_read=bool(principal.roles & {*approvers, *settings.contributors})
            and (state.review is None or reviews.reads(state.review, principal)),
        )


def _review(workload: Path, data_dir: Path, collection: str, by: str) -> None:
    """In the other process."""
    with workbench(workload, data_dir) as bench:
        data_reviews(bench.workload.data, bench.plant, None).run(collection, by)
