"""Statistics of a team's review: what `distill` says of opinions and samples."""

from __future__ import annotations

from distill.agreement import Agreement, agreement
from distill.sampling import is_shown, most_bad, needed, share_at_most

__all__ = ["Agreement", "agreement", "is_shown", "most_bad", "needed", "share_at_most"]
