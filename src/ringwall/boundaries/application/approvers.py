"""Who may lift a hold: whoever asked for the call, or only somebody else."""

from collections.abc import Iterable

from ringwall.core import Action, Decision, Finding

from .cedar_policies import PolicyPack
from .hold import Approver
from .hold_settings import ConfirmSettings
from .policy import DECLARATION as POLICY
from .registry import Manifest


class Approvers:
    """Each hold that applies has its say, and one that needs somebody else is enough.

    A Cedar policy says it by ``@approver``; what says nothing is as ``application.holds.confirm`` has it for
    the tool, and needs somebody else where that is silent too.
    """

    def __init__(self, pack: PolicyPack, confirm: ConfirmSettings) -> None:
        self._pack = pack
        self._confirm = confirm

    def of(self, decision: Decision, tool: Manifest | None) -> Approver:
        """For a decision that holds a call of ``tool`` (None: an unknown one)."""
        said = list(self._said(decision, self._unnamed(tool)))
        confirmed = bool(said) and all(one is Approver.REQUESTER for one in said)
        return Approver.REQUESTER if confirmed else Approver.OTHER

    def _said(self, decision: Decision, unnamed: Approver) -> Iterable[Approver]:
        for line in decision.lines:
            if line.verdict is None or line.verdict.action is not Action.HOLD:
                continue
            if line.control != POLICY.id:
                yield unnamed
                continue
            for finding in line.verdict.findings or (None,):
                yield self._policy(finding) or unnamed

    def _policy(self, finding: Finding | None) -> Approver | None:
        policy = self._pack.policies.get(finding.rule) if finding else None
        return Approver(policy.approver) if policy and policy.approver else None

    def _unnamed(self, tool: Manifest | None) -> Approver:
        if tool is None:
            return Approver.OTHER
        named = tool.name in self._confirm.tools or tool.effect in self._confirm.effects
        return Approver.REQUESTER if named else Approver.OTHER
