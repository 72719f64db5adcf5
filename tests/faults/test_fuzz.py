"""Whatever is changed in a file, a folder or a model, nothing but a named error comes out, soon and in 2 GiB."""

import pytest

from tests.faults.fuzz.campaign import run
from tests.faults.fuzz.mutant import kind_of, write_mutant
from tests.faults.fuzz.sound import KINDS

FEW, MANY = 300, 24_000
MAX_S, CORES = 600, 2


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_mutant_is_known_by_its_number(tmp_path):
    for seed in range(2 * len(KINDS)):
        one, again = (contents(write_mutant(seed, tmp_path / name)) for name in ("one", "again"))
        assert one == again
        assert one != contents(write_mutant(seed + len(KINDS), tmp_path / "other"))
    assert {kind_of(seed) for seed in range(len(KINDS))} == set(KINDS)


def test_a_few_mutants_of_every_kind_are_read_or_refused_by_name():
    done = run(range(FEW), processes=1)
    assert not done.faults, str(done)
    # changes that nobody notices, or that nothing outlives, would look for nothing
    assert done.counts["refused"] > FEW / 5
    assert done.counts["read"] > FEW / 5


@pytest.mark.slow
def test_many_mutants_are_read_or_refused_by_name_within_ten_minutes():
    done = run(range(MANY))
    assert not done.faults, str(done)
    assert done.processor_s <= MAX_S * CORES, str(done)
    print(done)
