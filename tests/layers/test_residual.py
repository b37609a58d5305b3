import pytest

from senet_mm.layers import stage_se_cfgs


def test_one_dict_serves_every_stage() -> None:
    assert stage_se_cfgs(dict(reduction=8), 3) == [dict(reduction=8)] * 3


def test_one_entry_per_stage() -> None:
    assert stage_se_cfgs((None, {}, dict(bias=False)), 3) == [None, {}, dict(bias=False)]


@pytest.mark.parametrize(
    ("se_cfg", "error", "message"),
    [
        ([{}, {}], ValueError, "2 entries: expected 4"),
        (None, TypeError, "se_cfg=None"),
        ("sigmoid", TypeError, "se_cfg='sigmoid'"),
        ([{}, 16, {}, {}], TypeError, "stage 2 is 16"),
        (
            [{}, {}, dict(ratio=16), {}],
            ValueError,
            r"stage 3 has unknown keys \['ratio'\].*reduction",
        ),
        (dict(in_channels=64), ValueError, r"unknown keys \['in_channels'\]"),
    ],
)
def test_bad_se_cfg_is_named(se_cfg: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        stage_se_cfgs(se_cfg, 4)
