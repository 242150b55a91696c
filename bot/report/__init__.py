"""The report: conclusion first, every statement with the evidence it rests on, gaps named.

`Narrative` is what a narrator (the crew or the offline one) says about the findings; `bot.verify` checks it;
`Report` is what is stored, posted and printed. Its JSON form is a public contract:
`incident-responder schema report`. The renderers are `text`, `markdown`, `page` (HTML) and `tables` (CSV).
"""

from __future__ import annotations

from bot.report.evidence import Lack, Records, Seen, kept, numbered, records_of, texts
from bot.report.models import (
    Checked,
    Claim,
    Conclusion,
    Found,
    Gap,
    Moment,
    Narrative,
    Removal,
    Report,
    ReportWindow,
    Similar,
    Spent,
    Usage,
)

__all__ = [
    "Checked",
    "Claim",
    "Conclusion",
    "Found",
    "Gap",
    "Lack",
    "Moment",
    "Narrative",
    "Records",
    "Removal",
    "Report",
    "ReportWindow",
    "Seen",
    "Similar",
    "Spent",
    "Usage",
    "kept",
    "numbered",
    "records_of",
    "texts",
]
