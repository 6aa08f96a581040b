"""What the pages say of a call that waits for a person."""

from ringwall.boundaries.application.hold import Hold
from ringwall.server.gateway import Gateway

from .shown import HoldInfo


def info(gateway: Gateway, hold: Hold) -> HoldInfo:
    manifest = gateway.site.application().registry.get(hold.tool)
    return HoldInfo(
        id=hold.id,
        tool=hold.tool,
        arguments=hold.arguments or {},
        arguments_hash=hold.call,
        subject=hold.subject,
        application=hold.application,
        created_at=hold.requested_at,
        expires_at=hold.expires_at,
        reasons=(hold.reason,) if hold.reason else (),
        tenant=hold.tenant,
        decision=hold.decision,
        effect=str(manifest.effect) if manifest else "",
        state=str(hold.state),
        approver=str(hold.approver),
        doubtful=hold.doubtful,
        amended=hold.amended,
        decided_by=hold.decided_by,
        decided_at=hold.decided_at,
    )
