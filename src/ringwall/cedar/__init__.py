"""What every use of Cedar shares: policies out of files, with the place of each mistake; names of people.

Which entities, actions and facts there are is each boundary's own matter.
"""

from .names import plain, user_id
from .policies import Parsed, Policy, Source, parse, policy_set, read_source
from .statements import statements

__all__ = [
    "Parsed",
    "Policy",
    "Source",
    "parse",
    "plain",
    "policy_set",
    "read_source",
    "statements",
    "user_id",
]
