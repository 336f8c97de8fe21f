"""Show what was found: what each job gives as a page, timelines as files."""

from __future__ import annotations

from vidfit.jobs.compress.page import compression_html
from vidfit.jobs.compress.picture import compression_svg
from vidfit.jobs.compress.terminal import compression_markdown
from vidfit.jobs.compress.write import compression_json, write_compression
from vidfit.jobs.fit.page import hardest_clips, report_html
from vidfit.jobs.fit.write import write_report
from vidfit.jobs.fuse.page import combination_html
from vidfit.jobs.fuse.picture import combination_svg
from vidfit.jobs.fuse.terminal import combination_markdown
from vidfit.jobs.fuse.write import combination_json, write_combination
from vidfit.jobs.predict.answers_table import AnswersTable
from vidfit.jobs.predict.picture import check_png, timeline_png
from vidfit.jobs.predict.timeline import (
    TIMELINE_WRITERS,
    timeline_csv,
    timeline_json,
    timeline_vtt,
    write_timeline,
)
from vidfit.jobs.select.page import ranking_html
from vidfit.jobs.select.picture import ranking_svg
from vidfit.jobs.select.terminal import ranking_markdown
from vidfit.jobs.select.write import ranking_json, write_ranking
from vidfit.jobs.train.page import training_html
from vidfit.jobs.train.picture import training_svg
from vidfit.jobs.train.terminal import training_markdown
from vidfit.jobs.train.write import training_json, write_training
from vidfit.report.data import report_json
from vidfit.report.summary import report_markdown

__all__ = [
    "AnswersTable",
    "TIMELINE_WRITERS",
    "combination_html",
    "combination_json",
    "combination_markdown",
    "combination_svg",
    "compression_html",
    "compression_json",
    "compression_markdown",
    "compression_svg",
    "hardest_clips",
    "ranking_html",
    "ranking_json",
    "ranking_markdown",
    "ranking_svg",
    "report_html",
    "report_json",
    "report_markdown",
    "timeline_csv",
    "timeline_json",
    "check_png",
    "timeline_png",
    "timeline_vtt",
    "training_html",
    "training_json",
    "training_markdown",
    "training_svg",
    "write_combination",
    "write_compression",
    "write_ranking",
    "write_report",
    "write_timeline",
    "write_training",
]
