# SE after the branch of each of the 16 units, before the sum or concatenation.
_base_ = "./shufflenet_in1k.py"
model = dict(
    backbone=dict(
        _delete_=True,
        type="mmdet.SEBackbone",
        backbone=_base_.model.backbone,
        units=r"layers\.\d\.\d\.g_conv_1x1_expand",
        se_cfg=dict(reduction=16),
    )
)
