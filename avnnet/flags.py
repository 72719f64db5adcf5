"""The words that mark a result which is kept, but which a reader should look at: all of them, here alone."""

from __future__ import annotations

from collections.abc import Iterable

from avnnet.choice import Choice


class Flag(Choice):
    """A word in the column `flags` of a table, with what it says and what to do about it.

    A new flag is a new member: tables take it as it is, and `python -m avnnet.report.pages docs` writes the page.

    Attributes:
        meaning: what is the case, in Markdown.
        advice: what to do.

    Examples:
        >>> Flag.LOSSY_SOURCE.meaning, Flag("lossy_source").advice
        ('the image had been compressed with loss', 'ask for the uncompressed series')
    """

    meaning: str
    advice: str

    def __new__(cls, word: str, meaning: str = "", advice: str = "") -> Flag:
        """A member: a word that carries two sentences."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning, member.advice = meaning, advice
        return member

    # of the image
    FOV_TRUNCATED = (
        "fov_truncated",
        "the head, or its mask, reaches the border of the image: the cut is no surface, and what lies beyond is not "
        "measured",
        "take volumes as lower bounds",
    )
    UNUSUAL_CONTRAST = (
        "unusual_contrast",
        "the image is bright where those of the training were dark (another sequence, fat suppression, inverted). The "
        "coarse image (8 × 8 × 8 cells of the crop) is correlated with the mean training image; four standard "
        "deviations below the training's own (in Fisher's z) are unusual, and so is less than 0.1 where the training's "
        "own are well above it",
        "do not trust the mask; use a model of this sequence",
    )
    OUTSIDE_TRAINING_RANGE = (
        "outside_training_range",
        "a voxel spacing, or the head that was found, is by a quarter beyond the smallest or the largest of what most "
        "of the networks were trained on",
        "check the mask slice by slice",
    )
    LOW_SNR = (
        "low_snr",
        "the bone outside the lesion is less than 5 times as bright as its noise (Immerkær's estimate; interpolated "
        "noise is taken for less): a lesion is not seen in it by eye either",
        "do not take a missing lesion for a healthy head",
    )
    ANISOTROPIC = (
        "anisotropic",
        "slices of 2.5 mm or more, four times the pixel or more: a lesion of 4 mm radius is off by 5 % and more by its "
        "voxels alone",
        "read `necrosis_discretisation_percent` beside the volume",
    )
    REPAIRED_DIRECTION = (
        "repaired_direction",
        "the axes in the file were sheared by less than 0.06°, and were set upright",
        "nothing, if the scan is right; else export it anew",
    )
    LOSSY_SOURCE = ("lossy_source", "the image had been compressed with loss", "ask for the uncompressed series")
    ENDS_MAY_BE_MISSING = (
        "ends_may_be_missing",
        "the numbers of the slices say that there were more before or after them",
        "export the series anew, and compare the number of slices",
    )
    LATERALITY_CONFLICT = (
        "laterality_conflict",
        "the DICOM header names the other side than the one found or given",
        "look which side it is; one of the two is wrong",
    )
    SFORM_PREFERRED = (
        "sform_preferred",
        "the mask's file says twice where it lies, not the same; its sform holds, as `--prefer` said",
        "see that the mask lies on its image",
    )
    QFORM_PREFERRED = (
        "qform_preferred",
        "the mask's file says twice where it lies, not the same; its qform holds, as `--prefer` said",
        "see that the mask lies on its image",
    )
    # of the prediction
    CROP_TOUCHED = (
        "crop_touched",
        "the mask reaches the border of the region that the networks saw: the centre may be off, or the head larger "
        "than the crop",
        "give the centre by hand",
    )
    HEAD_NOT_FOUND = (
        "head_not_found",
        "the locator marked no head, or none of this side: there is no mask, and no volume of 0",
        "give the centre by hand, if there is a head",
    )
    IMPLANT_SUSPECTED = (
        "implant_suspected",
        "within 35 mm of the head's centre lies a ball of 8 mm radius or more inside the body that gives no signal "
        "(below 5 % of the way from the darkest to the bright), as a prosthesis leaves it. With `head_not_found` it is "
        "the row of a hip in which no head was found and metal seems to stand",
        "look; leave hips with metal out",
    )
    COMPONENTS_REMOVED = (
        "components_removed",
        "the networks marked something that no head has, such as a piece beside it in the same crop; it was taken away "
        "by the steps that the model's study decided, or all but the largest piece where none did",
        "see that no part of the head was",
    )
    LOW_ENSEMBLE_AGREEMENT = (
        "low_ensemble_agreement",
        "the single networks overlap with their ensemble's head by less than Dice 0.8 in the mean",
        "check the mask slice by slice",
    )
    SIDE_UNVERIFIED = (
        "side_unverified",
        "place and neck of a single head do not agree on its side, or neither tells it; or the model has no locator "
        "and no side was given; or a centre was given without a side, or 60 mm and more on the other side of the "
        "scanner. Networks see left hips mirrored: with the wrong side, or none, volumes of a left hip can be wrong by "
        "half",
        "give the side by hand",
    )
    SEEN_IN_TRAINING = (
        "seen_in_training",
        "the image was in the model's training (`avnnet predict`, `avnnet evaluate --mark-seen`), in whatever format "
        "or order of axes: its row says nothing about new patients",
        "leave it out of an evaluation",
    )
    # of the mask
    NO_HEAD = (
        "no_head",
        "the mask is empty: in a manual row, nothing was drawn. Of labels of your own it is `no_` and the whole's name",
        "look whether there is a head",
    )
    NO_NECROSIS = (
        "no_necrosis",
        "there is a head, but no necrosis in it: arcs, areas and shares are 0, what has no place is empty. Of labels "
        "of your own it is `no_` and the part's name",
        "in an automatic row, see that no lesion was missed",
    )
    NO_VITAL = (
        "no_vital",
        "all of the head is necrosis: either the whole head is dead, or only the lesion was drawn",
        "draw the vital bone too, if there is any",
    )
    PARTLY_IGNORED = (
        "partly_ignored",
        "a reader left voxels of this case open (255 in a mask, `has_ignored`): they are left out of every mask of the "
        "case before it is measured or compared, and `ignored_cm3` is their volume",
        "compare its volumes with those of the same case only",
    )
    UNMEASURABLE = (
        "unmeasurable",
        "the mask has no shape of a head (too few voxels, no sphere), or ignored voxels touch it: volumes only",
        "look at the mask; `not_measured` says why",
    )
    NO_NECK_PLANE = (
        "no_neck_plane",
        "the surface shows no neck: all of it counts as joint surface",
        "take shares of the surface as lower bounds",
    )
    THICK_SLICES = (
        "thick_slices",
        "voxels above 2 mm: steps of the slices stay in the surface, and areas are too large",
        "do not compare areas with those of thinner slices",
    )
    SEVERAL_PIECES = (
        "several_pieces",
        "the head is in pieces: the shape is that of the largest, the volumes those of all",
        "remove what is no head from the mask",
    )
    HOLES = (
        "holes",
        "the head has holes, which are filled for the shape and not for the volumes",
        "fill the mask, if the holes are bone",
    )
    SEVERAL_ARCS = (
        "several_arcs",
        "the angle from first to last edge is 5° or more larger than the sum of the arcs",
        "choose which of the two the question needs",
    )
    LESION_OFF_SURFACE = (
        "lesion_off_surface",
        "in a mid plane the lesion keeps off the joint surface: its arc is its shadow",
        "take the arc with care: definitions differ here",
    )
    BORDERLINE_COLLAPSE = (
        "borderline_collapse",
        "2 mm lie within the 95 % interval of the depth: IIIA and IIIB cannot be told apart",
        "grade by the radiograph or CT",
    )
    IMPLAUSIBLE_SPHERE = (
        "implausible_sphere",
        "less than half of the joint surface lies within 1.5 mm of the sphere: angles are doubtful",
        "look at the picture of the angles",
    )
    ANOTHER_HEAD = (
        "another_head",
        "in `change.csv`: the radii of the two heads differ by more than 1.5 mm",
        "see that both masks are of the same hip",
    )


class Absent(str):
    """The flag of a structure that nobody drew, in the names of a label scheme that is not the hip's."""


def absent(structure: str) -> Flag | Absent:
    """The flag of a mask without a structure.

    Args:
        structure: its name in the label scheme.

    Examples:
        >>> absent("head") is Flag.NO_HEAD, str(absent("hippocampus"))
        (True, 'no_hippocampus')
    """
    known = {"head": Flag.NO_HEAD, "necrosis": Flag.NO_NECROSIS}
    return known.get(structure, Absent(f"no_{structure}"))


class Flags(tuple[str, ...]):
    """Flags in the order in which they were raised, each once.

    Args:
        words: flags; a word that is none is refused, so that no table can hold a mistyped one.

    Raises:
        InvalidConfig: if a word is no flag.

    Examples:
        >>> both = Flags([Flag.HOLES]) | [Flag.NO_VITAL, Flag.HOLES]
        >>> str(both), Flags.read("holes no_vital") == both, bool(Flags())
        ('holes no_vital', True, False)
        >>> Flags(["hole"])
        Traceback (most recent call last):
            ...
        avnnet.errors.InvalidConfig: Flag is one of ['fov_truncated', ...
    """

    __slots__ = ()

    def __new__(cls, words: Iterable[str] = ()) -> Flags:
        """The words, each once, once all are known to be flags."""
        known = (word if isinstance(word, Absent) else Flag(word) for word in words)
        return super().__new__(cls, dict.fromkeys(known))

    @classmethod
    def read(cls, text: str, structures: Iterable[str] = ()) -> Flags:
        """The flags in a cell of a table.

        Args:
            text: words with blanks between.
            structures: the whole and the part of another label scheme than the hip's.

        Raises:
            InvalidConfig: if a word is no flag.
        """
        others = {str(word): word for word in map(absent, structures)}
        return cls(others.get(word, word) for word in text.split())

    def __or__(self, others: Iterable[str]) -> Flags:
        return Flags([*self, *others])

    def without(self, *words: Flag) -> Flags:
        """The others than these."""
        return Flags(word for word in self if word not in words)

    def __str__(self) -> str:
        return " ".join(self)


NO_FLAGS = Flags()
