"""The report of a study: result tables in, CSV and one self-contained HTML file out."""

from avnnet.report.ablation import read_ablation, write_ablation_report
from avnnet.report.formats import as_latex, as_markdown
from avnnet.report.html import write_report
from avnnet.report.model_card import COSTS, ModelFacts, is_card_of, write_model_card
from avnnet.report.study_words import study_rows
from avnnet.report.tables import LOCATED_CENTRES, TRAINING, WEIGHED, read_study, write_tables
from avnnet.report.terminal import results_table

__all__ = [
    "COSTS",
    "LOCATED_CENTRES",
    "TRAINING",
    "WEIGHED",
    "ModelFacts",
    "as_latex",
    "as_markdown",
    "is_card_of",
    "read_ablation",
    "read_study",
    "results_table",
    "study_rows",
    "write_ablation_report",
    "write_model_card",
    "write_report",
    "write_tables",
]
