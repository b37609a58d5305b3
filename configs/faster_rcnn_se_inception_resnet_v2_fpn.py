# SE after the branch of each of the 40 residual units, before its constant scale and the sum.
# It starts as the identity, from the weights of the plain twin.
_base_ = "./faster_rcnn_inception_resnet_v2_fpn.py"
model = dict(
    backbone=dict(
        _delete_=True,
        type="SEBackbone",
        backbone=_base_.model.backbone,
        units=r"timm_model\.(repeat\w*\.\d+|block8)\.conv2d",
        se_cfg=dict(reduction=16, identity_init=True),
    )
)
