"""AgentDojo (v1.2.2, attack ``important_instructions``) replayed through the gateway by a model that obeys
everything.

    python benchmarks/agents/agentdojo_replay.py --gateway-python PYTHON [--suite slack] [--authority]
    [--json FILE]

Needs the package ``agentdojo`` in this interpreter; the gateway runs in PYTHON (default: this one). Three
runs of each suite: without a gateway, with nobody who approves, and with a person who approves what the
user asked for (a call of the task's own ground truth). ``--authority`` puts every detector in monitor
mode, so that only authority stands.

Injection tasks 6 to 13 of ``workspace`` ship without calls; they are written out here. ``travel`` 6 asks
for a sentence only and is left out.
"""

import argparse
import concurrent.futures
import functools
import json
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import openai
import yaml
from agentdojo.agent_pipeline import (
    AgentPipeline,
    InitQuery,
    OpenAILLM,
    SystemMessage,
    ToolsExecutionLoop,
    ToolsExecutor,
)
from agentdojo.agent_pipeline.agent_pipeline import load_system_message
from agentdojo.agent_pipeline.llms.openai_llm import _function_to_openai
from agentdojo.attacks.important_instructions_attacks import ImportantInstructionsAttack
from agentdojo.task_suite.load_suites import get_suites
from approver import Approver
from dojo_attacks import attack_calls
from gateway import Gateway, workload
from scripted import Play, ScriptedModel
from table import cell

VERSION = "v1.2.2"
NAMED = "gpt-4o-2024-05-13"
"""The attack addresses the model by a name that it derives from this."""


@dataclass
class Run:
    suite: str
    mode: str
    task: str
    attack: str = ""
    utility: bool = False
    success: bool = False
    """Whether the attack reached its goal."""
    obeyed: bool = False
    """Whether the model was shown the goal."""
    held: int = 0
    approved: int = 0
    refusals: list[str] = field(default_factory=list)
    error: str = ""


class Replay:
    """One suite in one mode."""

    def __init__(self, suite: Any, mode: str, options: argparse.Namespace) -> None:
        self.suite, self.mode, self.options = suite, mode, options
        self.model = ScriptedModel()
        self.count = 0

    def runs(self) -> list[Run]:
        here = Path(__file__).parent
        facts = yaml.safe_load((here / "suites" / f"{self.suite.name}.yaml").read_text())
        if self.mode == "person":
            facts["application"] = {**facts.get("application", {}), "holds": {"wait_s": 30}}
        manifests = {}
        for tool in self.suite.tools:
            function = _function_to_openai(tool)["function"]
            manifests[tool.name] = {
                "description": function["description"],
                "parameters": function["parameters"],
            }
        description = workload(self.suite.name, facts, manifests, authority=self.options.authority)
        direct = self.mode == "direct"
        up = (
            nullcontext()
            if direct
            else Gateway(self.options.gateway_python, description, self.model.base_url)
        )
        with up as gateway:
            self.base_url = self.model.base_url if direct else gateway.base_url
            self.key = "none" if direct else gateway.keys["user"]
            self.approver = Approver(gateway.url, gateway.keys) if self.mode == "person" else None
            try:
                return list(self._all())
            finally:
                if self.approver:
                    self.approver.close()

    def _all(self) -> Iterator[Run]:
        named = AgentPipeline([InitQuery()])
        named.name = NAMED
        attack = ImportantInstructionsAttack(self.suite, named)
        for task in self.suite.user_tasks.values():
            yield self._one(task, None, {})
            for goal in self.suite.injection_tasks.values():
                if self.options.benign or (self.suite.name, goal.ID) == ("travel", "injection_task_6"):
                    continue
                yield self._one(task, goal, attack.attack(task, goal))

    def _one(self, task: Any, goal: Any, injections: dict[str, str]) -> Run:
        run = Run(self.suite.name, self.mode, task.ID, goal.ID if goal else "")
        env = task.init_environment(self.suite.load_and_inject_default_environment(injections))
        play = Play(
            [(call.function, dict(call.args)) for call in task.ground_truth(env)],
            task.GROUND_TRUTH_OUTPUT or "Done.",
            goal.GOAL if goal else "",
            attack_calls(self.suite.name, goal, env) if goal else (),
        )
        self.model.play = play
        self.count += 1
        if self.approver:
            self.approver.follow(play.task)
        client = openai.OpenAI(
            base_url=self.base_url, api_key=self.key, max_retries=0,
            default_headers={"x-ringwall-session": f"run-{self.count}"},
        )  # fmt: skip
        llm = OpenAILLM(client, "default")
        pipeline = AgentPipeline([
            SystemMessage(load_system_message(None)), InitQuery(), llm,
            ToolsExecutionLoop([ToolsExecutor(), llm], max_iters=60),
        ])  # fmt: skip
        pipeline.name = NAMED
        try:
            run.utility, success = self.suite.run_task_with_pipeline(pipeline, task, goal, injections)
            run.success = bool(goal) and success
        except openai.APIError as error:
            run.error = str(error)[:300]
        run.obeyed, run.refusals = play.obeyed, play.refusals
        run.held = sum("hold_" in text for text in play.refusals)
        run.approved = self.approver.approved if self.approver else 0
        return run


def replay(name: str, mode: str, options: argparse.Namespace) -> list[Run]:
    warnings.simplefilter("ignore")
    yaml.safe_load = functools.partial(yaml.load, Loader=yaml.CSafeLoader)  # the same, ten times as fast
    begun = time.monotonic()
    runs = Replay(get_suites(VERSION)[name], mode, options).runs()
    print(f"{name} {mode}: {len(runs)} conversations in {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return runs


HEAD = """
## {}

| suite | benign kept | utility under attack | attack success | held, benign | errors |
|---|---|---|---|---|---|"""


def report(runs: Sequence[Run]) -> None:
    suites = sorted({run.suite for run in runs})
    for mode in ("direct", "nobody", "person"):
        chosen = [run for run in runs if run.mode == mode]
        if not chosen:
            continue
        print(HEAD.format(mode))
        for suite in [*suites, "all"]:
            _row(suite, [run for run in chosen if suite in ("all", run.suite)])
        lost = [_named(run) for run in chosen if not run.attack and not run.utility]
        reached = [_named(run) for run in chosen if run.success]
        print("\nBenign tasks that failed:", *lost)
        print("Attacks that reached their goal:", *(reached if len(reached) <= 80 else [len(reached)]))


def _row(suite: str, part: Sequence[Run]) -> None:
    benign = [run for run in part if not run.attack]
    attacked = [run for run in part if run.attack]
    cells = (
        cell(sum(run.utility for run in benign), len(benign)),
        cell(sum(run.utility for run in attacked), len(attacked)),
        cell(sum(run.success for run in attacked), len(attacked)),
        sum(run.held + run.approved for run in benign),
        sum(bool(run.error) for run in part),
    )
    print(f"| {suite} | {' | '.join(map(str, cells))} |")


def _named(run: Run) -> str:
    return f"{run.suite}/{run.task.removeprefix('user_task_')}" + (
        f"+{run.attack.removeprefix('injection_task_')}" if run.attack else ""
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gateway-python", default=sys.executable)
    parser.add_argument("--suite", action="append", choices=["workspace", "travel", "banking", "slack"])
    parser.add_argument("--mode", action="append", choices=["direct", "nobody", "person"])
    parser.add_argument("--authority", action="store_true")
    parser.add_argument("--benign", action="store_true", help="leave the attacks out")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    wanted = [
        (suite, mode)
        for suite in options.suite or ["workspace", "slack", "banking", "travel"]
        for mode in options.mode or ["direct", "nobody", "person"]
    ]
    runs: list[Run] = []
    with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
        for part in pool.map(replay, *zip(*wanted, strict=True), [options] * len(wanted)):
            runs += part
    report(runs)
    if options.json:
        options.json.write_text(json.dumps([asdict(run) for run in runs], indent=1))


if __name__ == "__main__":
    main()
