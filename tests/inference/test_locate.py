"""A locator's tiles overlap less than others; of a network that says of each voxel what it is, that changes nothing."""

import numpy as np

from avnnet.data.normalise import FixedWindow
from avnnet.data.preprocess import Preprocess
from avnnet.grid import Grid
from avnnet.image import Image
from avnnet.inference.ensemble import Ensemble
from avnnet.inference.heads import heads_in
from avnnet.inference.locate import OVERLAP, Locator
from avnnet.inference.member import Member
from avnnet.inference.model_folder import load_model, save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.models import UNet3D
from tests.inference.conftest import Threshold

GRID = Grid((40, 50, 110), (2.0, 2.0, 2.0), (-110.0, -50.0, -40.0))


def of(net, name: str = "locator") -> Ensemble:
    how = Preprocess([2.0, 2.0, 2.0], normalise=FixedWindow(-100, 100, 0, 3))
    return Ensemble([Member(net, how, Tiling([16, 16, 16]), name)], HIP)


def test_the_heads_are_those_of_the_voxels_that_the_network_marks():
    z, y, x = np.meshgrid(
        *(np.arange(n) * 2.0 + o for n, o in zip(GRID.shape, (-40, -50, -110), strict=True)), indexing="ij"
    )
    balls = [np.sqrt((x - centre) ** 2 + y**2 + z**2) < 23 for centre in (-85.0, 80.0)]
    image = Image(np.where(balls[0] | balls[1], 6.0, 0.0), GRID)
    ensemble = of(Threshold())
    found = Locator(ensemble).find(image)
    assert [head.side for head in found] == ["right", "left"]
    assert np.allclose([head.centre_mm for head in found], [(-85, 0, 0), (80, 0, 0)], atol=0.5)
    assert found == heads_in(ensemble.see(image).softmax.labels(HIP))


def test_a_locators_overlap_is_its_own_and_stays_in_the_model_folder(tmp_path):
    ensemble = of(UNet3D([2, 4], [[2, 2, 2]]))
    locator = Locator(ensemble)
    assert [one.members[0].tiling.overlap for one in (ensemble, locator.ensemble)] == [0.5, OVERLAP]
    save_model(Segmenter(of(UNet3D([2, 4], [[2, 2, 2]]), "unet3d").members, HIP, locator=locator), tmp_path)
    assert load_model(tmp_path).locator.ensemble.members[0].tiling.overlap == OVERLAP
