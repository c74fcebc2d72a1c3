"""How headings are compared."""

from __future__ import annotations

import re


def heading_key(heading: str) -> str:
    """A heading without case, spaces and punctuation: ``Social Services Ref.`` and ``SocialServicesRef`` are one."""
    return re.sub(r"[^a-z0-9]", "", heading.lower())
