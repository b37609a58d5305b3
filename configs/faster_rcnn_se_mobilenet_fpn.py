# SE after the activation of each of the 13 pointwise convolutions.
# It starts as the identity, from the weights of the plain twin.
_base_ = "./faster_rcnn_mobilenet_fpn.py"
model = dict(
    backbone=dict(
        _delete_=True,
        type="SEBackbone",
        backbone=_base_.model.backbone,
        units=r"timm_model\.blocks\.\d\.\d\.bn2",
        se_cfg=dict(reduction=16, identity_init=True),
    )
)
