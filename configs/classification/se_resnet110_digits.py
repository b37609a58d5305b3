# SE-ResNet-110 on real digits.
_base_ = "./resnet110_digits.py"
model = dict(
    backbone=dict(
        _delete_=True,
        type="mmdet.SEBackbone",
        backbone=_base_.model.backbone,
        units=r"stage\d\.\d+\.branch",
        se_cfg=dict(reduction=16),
        input_shape=(1, 3, 32, 32),
    )
)
