"""Show what was found: what each job gives as a page, timelines as files."""

from __future__ import annotations

from vidfit.report.answers import AnswersTable
from vidfit.report.combination import combination_json, write_combination
from vidfit.report.combination_page import combination_html
from vidfit.report.combination_picture import combination_svg
from vidfit.report.combination_summary import combination_markdown
from vidfit.report.compression import compression_json, write_compression
from vidfit.report.compression_page import compression_html
from vidfit.report.compression_picture import compression_svg
from vidfit.report.compression_summary import compression_markdown
from vidfit.report.data import report_json
from vidfit.report.page import hardest_clips, report_html
from vidfit.report.ranking import ranking_json, write_ranking
from vidfit.report.ranking_page import ranking_html
from vidfit.report.ranking_picture import ranking_svg
from vidfit.report.ranking_summary import ranking_markdown
from vidfit.report.summary import report_markdown
from vidfit.report.timeline import (
    TIMELINE_WRITERS,
    timeline_csv,
    timeline_json,
    timeline_vtt,
    write_timeline,
)
from vidfit.report.timeline_image import check_png, timeline_png
from vidfit.report.training import training_json, write_training
from vidfit.report.training_page import training_html
from vidfit.report.training_picture import training_svg
from vidfit.report.training_summary import training_markdown
from vidfit.report.writing import write_report

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
