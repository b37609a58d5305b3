# SE after the branch of each of the 40 residual units, before its constant scale and the sum.
_base_ = "./inception_resnet_v2_in1k.py"
model = dict(
    backbone=dict(
        _delete_=True,
        type="mmdet.SEBackbone",
        backbone=_base_.model.backbone,
        units=r"timm_model\.(repeat\w*\.\d+|block8)\.conv2d",
        se_cfg=dict(reduction=16),
    )
)
