"""A question in the thread, answered from the stored report and evidence, without a model.

The plain commands are `timeline`, `suspects`, `patterns`, `why`, `gaps`, `next`, `show C3`, `lines L2`, `around L2`,
`compare 13:00-13:30 14:00-14:30`, `rerun since 13:40` and `help`; people ask for the same things in their own words
("which commit?", "since when?", "who should I page?"). A question that is none of them gets what comes nearest, and
what can be asked.
"""

from __future__ import annotations

from bot.followup.answer import Answer, Rerun, answer, is_command

__all__ = ["Answer", "Rerun", "answer", "is_command"]
