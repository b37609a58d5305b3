# SE after the activation of each of the 13 pointwise convolutions.
_base_ = "./mobilenet_in1k.py"
model = dict(
    backbone=dict(
        _delete_=True,
        type="mmdet.SEBackbone",
        backbone=_base_.model.backbone,
        units=r"timm_model\.blocks\.\d\.\d\.bn2",
        se_cfg=dict(reduction=16),
    )
)
