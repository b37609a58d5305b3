# SE-ResNet-50 of timm's A1 recipe.
_base_ = "./faster_rcnn_r50_fpn_a1.py"
model = dict(
    backbone=dict(
        type="SEResNet",
        se_cfg=dict(reduction=16),
        init_cfg=dict(checkpoint="timm://seresnet50.a1_in1k"),
    )
)
