"""Who and what belongs to the perimeter, as the workload file says."""

from typing import Annotated

from pydantic import Field

from ringwall.core import Settings

Organization = Annotated[str, Field(pattern=r"^(?:o-[a-z0-9]{10,32})?$")]
Account = Annotated[str, Field(pattern=r"^(?:[0-9]{12})?$")]
Endpoint = Annotated[str, Field(pattern=r"^vpce-[0-9a-z]{8,40}$")]


class PerimeterSettings(Settings):
    """What ``ringwall data perimeter`` holds the bucket's own configuration against."""

    organization: Organization = ""
    """Id of the AWS organisation (``o-…``) that may reach the bucket."""
    account: Account = ""
    """Account that the bucket and its users are in."""
    endpoints: tuple[Endpoint, ...] = ()
    """VPC endpoints that it is reached through; their policies are checked as well. Empty: any network."""
