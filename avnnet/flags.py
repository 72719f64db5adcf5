"""The words that mark a result which is kept, but which a reader should look at."""

from __future__ import annotations

from avnnet.choice import Choice


class Flag(Choice):
    """A word in the column `flags` of a table; docs/what_the_numbers_mean.md says what each stands for."""

    FOV_TRUNCATED = "fov_truncated"
    CROP_TOUCHED = "crop_touched"
    HEAD_NOT_FOUND = "head_not_found"
    NO_NECROSIS = "no_necrosis"
    IMPLANT_SUSPECTED = "implant_suspected"
    LOW_SNR = "low_snr"
    ANISOTROPIC = "anisotropic"
    UNUSUAL_CONTRAST = "unusual_contrast"
    SIDE_UNVERIFIED = "side_unverified"
    LATERALITY_CONFLICT = "laterality_conflict"
    REPAIRED_DIRECTION = "repaired_direction"
    LOSSY_SOURCE = "lossy_source"
    ENDS_MAY_BE_MISSING = "ends_may_be_missing"
    LOW_ENSEMBLE_AGREEMENT = "low_ensemble_agreement"
    COMPONENTS_REMOVED = "components_removed"
    OUTSIDE_TRAINING_RANGE = "outside_training_range"
    SEEN_IN_TRAINING = "seen_in_training"
