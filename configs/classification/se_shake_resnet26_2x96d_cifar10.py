# SE on each of a unit's two branches, before they are mixed.
_base_ = "./shake_resnet26_2x96d_cifar10.py"
model = dict(
    backbone=dict(
        _delete_=True,
        type="mmdet.SEBackbone",
        backbone=_base_.model.backbone,
        units=r"stage\d\.\d+\.branch\d",
        se_cfg=dict(reduction=16),
        input_shape=(1, 3, 32, 32),
    )
)
