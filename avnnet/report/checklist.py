"""What a paper on these results must say, after CLAIM, and what of it this report answers."""

from __future__ import annotations

from avnnet.record import StudyRecord
from avnnet.report.wording import PrintedTable

HERE, YOURS = "in this report", "yours to write"
SOURCE = (
    "After CLAIM: Mongan J et al. Radiol Artif Intell 2020;2:e200029, and its update, Tejani AS et al. Radiol Artif "
    "Intell 2024;6:e240300. In our words; consult the original. A program can answer only what its tables hold."
)


def checklist(record: StudyRecord, *, has_stages: bool, has_second_reader: bool, n_failed: int) -> PrintedTable:
    """The items and where they are answered.

    Args:
        record: what is known of the study.
        has_stages: whether the cohort has stages.
        has_second_reader: whether a second human reader's masks were measured.
        n_failed: how many cases failed.
    """
    digital = record.digital
    rows: list[list[str]] = []

    def section(title: str, *items: tuple[str, str]) -> None:
        rows.append([title])
        rows.extend([item, answer] for item, answer in items)

    section(
        "Study",
        ("Clinical question, intended use and users", YOURS),
        ("Prospective or retrospective, ethics approval, consent", "no patients: digital hips" if digital else YOURS),
        ("Hypothesis and margin fixed beforehand", f"margin: {HERE}, when it was given before the study is {YOURS}"),
    )
    section(
        "Data",
        ("Source, eligibility, dates, sites, scanners and sequences", "digital hips" if digital else YOURS),
        ("Flow of cases, missing and failed ones", f"{HERE}: Cases, Failed cases ({n_failed})"),
        ("Demographics and stages", f"stages: {HERE}; the rest is {YOURS}" if has_stages else YOURS),
        ("De-identification", YOURS),
    )
    section(
        "Reference standard",
        ("Definition of the structures", YOURS),
        ("Who drew it, with what training and tool", "a computer, exactly" if digital else YOURS),
        ("Agreement between readers", HERE if has_second_reader else "no second reader in the tables"),
    )
    section(
        "Model and training",
        ("Architecture, preprocessing, augmentation, loss, hyperparameters", f"{HERE}: Settings"),
        ("Software and versions", f"{HERE}: Methods"),
        ("Partitions by patient", f"{HERE}: folds by patient" if record.folds is not None else YOURS),
        ("Selection of the best model", f"{HERE}: the rule; it was chosen on the same cases"),
    )
    section(
        "Evaluation",
        ("Overlap, boundary and size measures with intervals", HERE),
        ("Results by stage and by lesion size", HERE if has_stages else f"by size: {HERE}; no stages in the tables"),
        ("Patients with two hips", f"{HERE}: tests by patient, bootstrap by patient, one hip per patient"),
        ("Failure analysis, best and worst cases", HERE),
        ("External test", f"none here: {YOURS}"),
    )
    section(
        "Discussion and access",
        ("Limits, bias, generalisability", YOURS),
        ("Code, model, data and protocol", YOURS),
        ("Funding and interests", YOURS),
    )
    return PrintedTable("Checklist", SOURCE, ["item", "where"], rows)
