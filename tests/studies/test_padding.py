from __future__ import annotations

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config

from studies.padding import batches, costs, detectors, exactness, movement, share_of_padding
from tests.export.nets import scene, small_config, small_detector


def test_batches_hold_every_picture_once() -> None:
    wide = np.arange(11) % 3 > 0
    for kind in (None, wide):
        groups = batches(11, 4, wide=kind, seed=1)
        assert sorted(np.concatenate(groups)) == list(range(11))
    assert all(len(set(wide[group])) == 1 for group in groups)


def test_share_of_padding_is_the_pictures_mean() -> None:
    sizes = np.array([(64, 32), (32, 64), (31, 32)])
    assert share_of_padding(sizes, [np.array([0, 1]), np.array([2])]) == pytest.approx(
        (0.5 + 0.5 + 1 / 32) / 3
    )


def test_every_way_has_the_same_weights_and_exact_does_not_move(tmp_path) -> None:
    cfg: Config = small_config("retina", se=True)
    path = tmp_path / "net.pth"
    torch.save({"state_dict": small_detector("retina", se=True).state_dict()}, path)
    models = detectors(cfg, str(path))
    loaded = []
    for seed, size in enumerate([(75, 107), (128, 64)]):
        image = torch.from_numpy(scene(*size, seed=seed)).permute(2, 0, 1).contiguous()
        loaded.append(dict(inputs=image, data_samples=DetDataSample()))
    moved = {name: movement(model, loaded, [1]) for name, model in models.items()}
    for part in (0, 1):
        assert max(moved["exact"][part]) < 1e-5 < min(moved["ignore"][part])
    table = costs(models, torch.randn(1, 3, 64, 64), rounds=2)
    assert [cell[:4] for cell in table["ignore"]] == ["1.00", "1.00"]


def test_random_weights_are_exact_to_rounding() -> None:
    assert max(exactness(18, "exact")) < 1e-5 < max(exactness(18, "ignore"))
