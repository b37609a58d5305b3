# SE after the branch of each of the 16 units, before the sum or concatenation.
# It starts as the identity, from the weights of the plain twin.
_base_ = "./faster_rcnn_shufflenet_fpn.py"
model = dict(
    backbone=dict(
        _delete_=True,
        type="SEBackbone",
        backbone=_base_.model.backbone,
        units=r"layers\.\d\.\d\.g_conv_1x1_expand",
        se_cfg=dict(reduction=16, identity_init=True),
    )
)
