"""Names and texts as Cedar takes them."""

from ringwall.core import Principal


def plain(text: str) -> str:
    """The text without what Cedar's JSON reader refuses: halves of surrogate pairs become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def user_id(principal: Principal) -> str:
    """``tenant/subject``, with ``/`` in a tenant escaped so that no two people share an id."""
    tenant = principal.tenant.replace("%", "%25").replace("/", "%2F")
    return plain(f"{tenant}/{principal.subject}")
