"""The errors a user can meet: each says the rule, the value received, the way out, and the case."""


class AvnnetError(Exception):
    """Base of all errors that avnnet raises on purpose.

    Args:
        message: the rule, what was found, and what to do about it.
        case_id: the case at hand, put in front of the message where there is one.

    Examples:
        >>> str(MissingFile("no file scan.nii.gz", case_id="case-07"))
        'case case-07: no file scan.nii.gz'
    """

    def __init__(self, message: str, *, case_id: str | None = None) -> None:
        super().__init__(f"case {case_id}: {message}" if case_id is not None else message)
        self.case_id = case_id


class MissingFile(AvnnetError):
    """A path that a table, a config or a command names does not exist."""


class UnreadableFile(AvnnetError):
    """A file exists but cannot be decoded as what it claims to be."""


class InvalidRecord(UnreadableFile):
    """The record of a study or of a training is damaged, or of a newer version of avnnet."""


class NotAnImage(UnreadableFile):
    """A file or folder holds no image at all."""


class UndecodablePixels(UnreadableFile):
    """A header can be read, but not the pixels that it promises."""


class DecoderCrashed(UndecodablePixels):
    """A decoder of compressed pixels was ended by the system, or did not come to an end."""


class ResourceLimitExceeded(AvnnetError):
    """A header promises more than a hip scan can hold; refused before anything is allocated."""


class OutputNotWritable(AvnnetError):
    """A result cannot be written where it was asked for."""


class UnsupportedFormat(AvnnetError):
    """A file's format is not one that avnnet reads or writes."""


class UnsupportedPixelType(UnsupportedFormat):
    """Colour, complex or other pixels that are no single brightness."""


class UnsafePath(AvnnetError):
    """A file names another outside its own folder, which is not followed."""


class UnsupportedDimensions(AvnnetError):
    """An image is not three-dimensional with one value per voxel."""


class NotAVolume(AvnnetError):
    """An image has too few slices to measure a volume in, or its slices are no straight stack."""


class MixedSeries(AvnnetError):
    """A folder holds more than one DICOM series, and none was chosen."""


class MixedPatients(MixedSeries):
    """A folder holds the images of several patients."""


class DuplicateSlices(MixedSeries):
    """A series holds several images of one position: time points, copies, or diffusion weightings."""


class UnevenSpacing(AvnnetError):
    """The slices of a series do not lie at even distances."""


class MissingSlices(UnevenSpacing):
    """Slices of a series are missing between others."""


class InvalidGeometry(AvnnetError):
    """A spacing, origin or direction that no scanner could have made."""


class MissingGeometry(InvalidGeometry):
    """A file does not say where its voxels lie in the patient."""


class GeometryConflict(InvalidGeometry):
    """A file says twice where its voxels lie, and not the same."""


class NonOrthogonalDirection(InvalidGeometry):
    """The axes of a grid are sheared."""


class GeometryMismatch(AvnnetError):
    """Two images that must lie on one grid do not."""


class MissingCentre(AvnnetError):
    """Networks that have seen crops around heads alone are asked to look at a whole scan."""


class NonFiniteVoxels(AvnnetError):
    """An image holds NaN or infinite values."""


class ConstantImage(AvnnetError):
    """An image has one value only, so nothing can be seen in it."""


class InvalidLabelValues(AvnnetError):
    """A label map holds ids that its scheme does not name."""


class EmptyLabel(AvnnetError):
    """Manual masks hold nothing to learn from."""


class Unmeasurable(AvnnetError):
    """A mask has no shape of which a quantity could be measured."""


class UnknownColumn(AvnnetError):
    """A measurement has a column that the list of quantities lacks."""


class InvalidScheme(AvnnetError):
    """A label scheme contradicts itself, or two schemes that must be equal differ."""


class InvalidCohort(AvnnetError):
    """A cohort table lacks a column, or holds a value that no study can use."""


class DuplicateCase(InvalidCohort):
    """A case id stands twice in a cohort."""


class InvalidSplit(AvnnetError):
    """Folds cannot be made, or stored folds do not belong to this cohort."""


class LeakageError(AvnnetError):
    """The same patient would be trained on and tested on."""


class BudgetTooSmall(AvnnetError):
    """Too few steps of a training fit into the minutes asked for."""


class NonFiniteLoss(AvnnetError):
    """A loss, a gradient or a weight of a training is NaN or infinite."""


class InvalidConfig(AvnnetError):
    """A config names an unknown key, or values that do not fit together."""


class NotInstalled(InvalidConfig):
    """A config names a class of Lightning's or MONAI's that needs a package which is not installed."""


class InvalidNetwork(InvalidConfig):
    """A network does not keep the contract: an attribute is missing, or what it gives is not what it should be."""


class InvalidDataStep(AvnnetError):
    """An augmentation, sampler or intensity normalisation of a user's own does what no training can use."""


class InvalidClass(AvnnetError):
    """A class of a user's own cannot be imported, or is none that a model can hold."""


class InvalidRecipe(AvnnetError):
    """A stored description cannot be turned back into an object."""


class ModelMismatch(AvnnetError):
    """Stored weights do not fit the network that their recipe describes."""


class CheckpointCorrupt(AvnnetError):
    """Stored weights or a checkpoint are damaged."""


class UnsafeCheckpoint(AvnnetError):
    """A checkpoint holds more than numbers and would run code."""


class NotCarried(AvnnetError):
    """A model has what the program that it is to be handed to, or was taken from, does otherwise or not at all."""


class InvalidResults(UnreadableFile):
    """A results folder of another program is incomplete, damaged, or of another version."""


class CheckpointMismatch(AvnnetError):
    """A run folder was made with other settings than those asked for now."""


class StatisticsError(AvnnetError):
    """A table does not hold what a statistic needs."""


class WorkerFailed(AvnnetError):
    """A process that a part of a study was handed to failed, or was killed."""
