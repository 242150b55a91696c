from __future__ import annotations

from tests.storage.conftest import clock, db, template, url

__all__ = ["clock", "db", "template", "url"]
