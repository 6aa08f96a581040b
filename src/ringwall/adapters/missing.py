"""What is said where a framework is not installed."""


def missing(package: str, extra: str) -> ImportError:
    """One sentence with what to do."""
    return ImportError(f"{package} is not installed: pip install 'ringwall[{extra}]'")
