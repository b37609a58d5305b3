# FCOS with SE-ResNet-50, of mmpretrain's weights.
_base_ = "./fcos_r50_fpn.py"
model = dict(
    backbone=dict(
        type="SEResNet",
        se_cfg=dict(reduction=16),
        init_cfg=dict(checkpoint="mmcls://se-resnet50"),
    )
)
