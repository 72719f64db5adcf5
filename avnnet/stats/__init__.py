"""Statistics of the two result tables: a long table and column names in, a table out."""

from avnnet.stats.agreement import bland_altman, pearson, volume_agreement
from avnnet.stats.groups import early_or_advanced, mann_whitney
from avnnet.stats.paired import compare_readers, paired_t
from avnnet.stats.study import abstract_table, best_reader
from avnnet.stats.summary import summarise_agreement, summarise_volumes

__all__ = [
    "abstract_table",
    "best_reader",
    "bland_altman",
    "compare_readers",
    "early_or_advanced",
    "mann_whitney",
    "paired_t",
    "pearson",
    "summarise_agreement",
    "summarise_volumes",
    "volume_agreement",
]
