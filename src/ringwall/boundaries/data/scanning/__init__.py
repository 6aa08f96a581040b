"""The streaming scan of files of rows: hijack text, secrets, personal data, invisible characters."""

from .engine import Engine, local
from .on_ray import on_ray
from .run import Progress, scan_files

__all__ = ["Engine", "Progress", "local", "on_ray", "scan_files"]
