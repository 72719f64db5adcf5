"""The report of a study: result tables in, CSV and one self-contained HTML file out."""

from avnnet.report.html import write_report
from avnnet.report.tables import TRAINING, read_study, write_tables
from avnnet.report.terminal import results_table

__all__ = ["TRAINING", "read_study", "results_table", "write_report", "write_tables"]
