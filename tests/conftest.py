"""What every test may ask for. Rows come from tests/factories.py."""

from __future__ import annotations
