"""Files made for tests are in ``made_files.py``."""

import importlib.util
import sys
from pathlib import Path

_PATH = Path(__file__).with_name("made_files.py")
_SPEC = importlib.util.spec_from_file_location("made_files", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
if "made_files" not in sys.modules:
    _MODULE = importlib.util.module_from_spec(_SPEC)
    sys.modules["made_files"] = _MODULE
    _SPEC.loader.exec_module(_MODULE)
