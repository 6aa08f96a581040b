"""Licences by their SPDX names."""

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

_LONGEST = 200


def known(licence: str) -> str:
    """The expression as SPDX writes it: ``cc-by-4.0`` gives ``CC-BY-4.0``. ``LicenseRef-NAME`` stands for one
    that SPDX does not list. ValueError when it is no expression of known licences."""
    try:
        if len(licence) > _LONGEST:
            raise InvalidLicenseExpression
        return str(canonicalize_license_expression(licence))
    except InvalidLicenseExpression:
        raise ValueError(
            "a licence is an SPDX expression such as CC-BY-4.0, or LicenseRef-NAME for one of your own"
        ) from None
