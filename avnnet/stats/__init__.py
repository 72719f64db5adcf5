"""Statistics of the two result tables: a long table and column names in, a table out."""

from avnnet.stats.ablation import ablation_table, pareto_front
from avnnet.stats.agreement import pearson, spearman, volume_agreement
from avnnet.stats.battery import Question, all_statistics
from avnnet.stats.bootstrap import bootstrap_interval
from avnnet.stats.categories import confusion, grade_agreement
from avnnet.stats.clustered import clustered_rank_test, paired_sensitivity
from avnnet.stats.decided import cleaning_table, fast_table
from avnnet.stats.equivalence import tost, tost_summary
from avnnet.stats.groups import early_or_advanced, kruskal_wallis, mann_whitney
from avnnet.stats.limits import bland_altman
from avnnet.stats.located import locator_table
from avnnet.stats.paired import compare_readers, paired_t
from avnnet.stats.planning import learning_curve, sample_size_for_limits, sample_size_for_mean
from avnnet.stats.proportions import wilson_interval
from avnnet.stats.published import Published, implied
from avnnet.stats.ranks import delong, hodges_lehmann
from avnnet.stats.readers import second_reader
from avnnet.stats.regression import deming, passing_bablok
from avnnet.stats.reliability import concordance, icc
from avnnet.stats.segmentation import detection, segmentation_results
from avnnet.stats.study import best_reader, study_table
from avnnet.stats.summary import summarise_agreement, summarise_volumes
from avnnet.stats.wide import long_of_wide, quantity_name

__all__ = [
    "Published",
    "Question",
    "ablation_table",
    "all_statistics",
    "best_reader",
    "bland_altman",
    "bootstrap_interval",
    "cleaning_table",
    "clustered_rank_test",
    "compare_readers",
    "concordance",
    "confusion",
    "delong",
    "deming",
    "detection",
    "early_or_advanced",
    "fast_table",
    "grade_agreement",
    "hodges_lehmann",
    "icc",
    "implied",
    "kruskal_wallis",
    "learning_curve",
    "locator_table",
    "long_of_wide",
    "mann_whitney",
    "paired_sensitivity",
    "paired_t",
    "pareto_front",
    "passing_bablok",
    "pearson",
    "quantity_name",
    "sample_size_for_limits",
    "sample_size_for_mean",
    "second_reader",
    "segmentation_results",
    "spearman",
    "study_table",
    "summarise_agreement",
    "summarise_volumes",
    "tost",
    "tost_summary",
    "volume_agreement",
    "wilson_interval",
]
