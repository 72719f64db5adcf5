"""`study.json` and `run.json`: what is known of a study and of one training, written and read here and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Self

from avnnet.atomic import write_text_atomically
from avnnet.errors import InvalidRecord, MissingFile
from avnnet.labels import LabelScheme
from avnnet.typed import typed


@dataclass(frozen=True)
class Record:
    """A record in a folder of its own, as JSON with a schema number; what is not known is left out of the file.

    A field that is added, or means another thing, raises the schema. A file without a number is of schema 0, which
    avnnet wrote before there were numbers.
    """

    FILE: ClassVar[str]
    SCHEMA: ClassVar[int]
    MISSING: ClassVar[str]
    WAY_OUT: ClassVar[str]

    @classmethod
    def read(cls, folder: str | Path) -> Self:
        """The record in a folder.

        Args:
            folder: of the study or of the run.

        Raises:
            MissingFile: if there is none.
            InvalidRecord: if it is damaged, of a newer schema, or holds an unknown key or a value of the wrong type.
            InvalidScheme: if its label scheme contradicts itself.
        """
        path = Path(folder) / cls.FILE
        if not path.is_file():
            raise MissingFile(f"no {cls.FILE} in {folder}; {cls.MISSING}")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise InvalidRecord(f"{path} is not JSON that can be read ({error}); {cls.WAY_OUT}") from error
        if not isinstance(content, dict):
            raise InvalidRecord(f"{path} must hold an object; found {type(content).__name__}. {cls.WAY_OUT}")
        schema = content.pop("schema", 0)
        if isinstance(schema, bool) or not isinstance(schema, int) or not 0 <= schema <= cls.SCHEMA:
            raise InvalidRecord(
                f"{path} is of schema {str(schema)[:20]}, this version of avnnet reads 0 to {cls.SCHEMA}; use the "
                f"version that wrote it, or {cls.WAY_OUT}"
            )
        if schema == 0:
            content = cls._from_schema_0(content)
        try:
            record: Self = typed(content | {"schema": schema}, cls)
        except InvalidRecord as error:
            raise InvalidRecord(f"{path}: {error}. Mend the file, or {cls.WAY_OUT}") from error
        return record

    @classmethod
    def _from_schema_0(cls, content: dict[str, Any]) -> dict[str, Any]:
        """The content as it would be written now; keys that avnnet does not know any more are dropped."""
        known = {one.name for one in fields(cls)}
        return {key: value for key, value in content.items() if key in known}

    def write(self, folder: str | Path) -> Path:
        """The path written.

        Args:
            folder: of the study or of the run.

        Raises:
            OutputNotWritable: if the folder cannot be written to.
        """
        known = {
            key: value for key, value in asdict(self).items() if key != "schema" and value not in (None, "", (), {})
        }
        text = json.dumps({"schema": self.SCHEMA, **known}, indent=1)
        return write_text_atomically(Path(folder) / self.FILE, text)


@dataclass(frozen=True)
class NetworkRecord:
    """How a network of a study is trained.

    Args:
        config: the whole config as YAML, defaults included.
        precision: Lightning's name of the number format.
        reason: why this one.
    """

    config: str
    precision: str = ""
    reason: str = ""


@dataclass(frozen=True)
class BudgetRecord:
    """The number of steps that a budget in minutes came to; a training that goes on keeps it.

    Args:
        minutes: that were asked for.
        epochs: trainer.max_epochs.
        steps_per_epoch: data.steps_per_epoch.
        validate_every: trainer.check_val_every_n_epoch.
        reason: the timing, in words.
    """

    minutes: float
    epochs: int
    steps_per_epoch: int
    validate_every: int
    reason: str = ""


@dataclass(frozen=True)
class StudyRecord(Record):
    """What is known of how the tables in a folder came about: of a study, an evaluation, a comparison or statistics.

    Every field may be unknown: empty text, no entries, or None.

    Args:
        title: of the report.
        command: the words typed.
        cohort: path of the cohort's table, or what was compared.
        cohort_sha256: hash of that table, the images and the masks.
        digital: whether the images are digital hips.
        scheme: names of the label ids; None for a table that is not of masks.
        networks: names of the networks.
        locator: name of the network that finds the heads.
        folds: of the cross-validation; None where there was none.
        folds_done: the folds whose cases are in the tables, from 0.
        seed: of the folds.
        seen_in_training: how many of the images were in the networks' training; None where nobody looked.
        margins: equivalence margins by quantity, fixed before the data are seen.
        centre: how the centre of a crop was found, in words.
        values: the quantities to compare; empty takes the scheme's volumes.
        automatic: the reader in question; empty takes the best.
        draws: of the bootstrap; None takes the usual number.
        versions: of the software, by name.
        training: how each network is trained, by name.
        budgets: what a budget in minutes came to for each network, by name; empty where none was asked for.
        settings: anything else that the report is to show.
        started: when, ISO 8601.
        finished: when, ISO 8601.
        schema: of the file that it was read from.

    Examples:
        >>> from tempfile import mkdtemp
        >>> folder = mkdtemp()
        >>> path = StudyRecord(title="Two readers", margins={"necrosis_cm3": 2}).write(folder)
        >>> print(path.read_text().replace(chr(10), ""))
        { "schema": 2, "title": "Two readers", "margins": {  "necrosis_cm3": 2 }}
        >>> StudyRecord.read(folder).margins
        {'necrosis_cm3': 2.0}
    """

    FILE: ClassVar[str] = "study.json"
    SCHEMA: ClassVar[int] = 2
    MISSING: ClassVar[str] = "give the output folder of a study"
    WAY_OUT: ClassVar[str] = "run the study again in another folder"

    title: str = ""
    command: str = ""
    cohort: str = ""
    cohort_sha256: str = ""
    digital: bool | None = None
    scheme: LabelScheme | None = None
    networks: tuple[str, ...] = ()
    locator: str = ""
    folds: int | None = None
    folds_done: tuple[int, ...] = ()
    seed: int | None = None
    seen_in_training: int | None = None
    margins: Mapping[str, float] = field(default_factory=dict)
    centre: str = ""
    values: tuple[str, ...] = ()
    automatic: str = ""
    draws: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    training: Mapping[str, NetworkRecord] = field(default_factory=dict)
    budgets: Mapping[str, BudgetRecord] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    started: str = ""
    finished: str = ""
    schema: int = SCHEMA

    @classmethod
    def _from_schema_0(cls, content: dict[str, Any]) -> dict[str, Any]:
        # the settings were those of each network, or those of an evaluation
        content = super()._from_schema_0(content)
        settings = content.pop("settings", None)
        if not isinstance(settings, dict):
            return content if settings is None else content | {"settings": settings}
        training = {}
        for name, one in settings.items():
            if isinstance(one, dict) and "config" in one:
                choice = one.get("precision")
                training[name] = {"config": one["config"], **(choice if isinstance(choice, dict) else {})}
        rest = {key: value for key, value in settings.items() if key not in training}
        return content | {
            "training": training,
            "seen_in_training": rest.pop("seen_in_training", None),
            "settings": rest,
        }


@dataclass(frozen=True)
class RunRecord(Record):
    """How one training was run.

    Args:
        precision: Lightning's name of the number format; a resumed training keeps it.
        reason: why this one.
        device: that trained, "cpu" or "cuda:0".
        threads: of the CPU.
        seconds: since the training was begun or resumed; None until it is done.
        resumed_from: the checkpoint that it went on from; empty if it began anew, or is not done.
        started_from: the model folder of `--from`, what fitted and what did not; empty if it began from random weights.
        from_sha256: hash of that model.
        seen_before: hashes of the images that its networks were trained on.
        budget: what a budget in minutes came to; None where none was asked for.
        schema: of the file that it was read from.
    """

    FILE: ClassVar[str] = "run.json"
    SCHEMA: ClassVar[int] = 2
    MISSING: ClassVar[str] = "give the folder of a training"
    WAY_OUT: ClassVar[str] = "delete its folder to train it anew"

    precision: str
    reason: str = ""
    device: str = ""
    threads: int | None = None
    seconds: float | None = None
    resumed_from: str = ""
    started_from: str = ""
    from_sha256: str = ""
    seen_before: tuple[str, ...] = ()
    budget: BudgetRecord | None = None
    schema: int = SCHEMA

    @classmethod
    def _from_schema_0(cls, content: dict[str, Any]) -> dict[str, Any]:
        # precision and reason stood together under "precision"
        content = super()._from_schema_0(content)
        choice = content.get("precision")
        return content | choice if isinstance(choice, dict) else content
