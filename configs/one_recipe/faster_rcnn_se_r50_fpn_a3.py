# SE-ResNet-50 of timm's A3 recipe.
_base_ = "./faster_rcnn_r50_fpn_a3.py"
model = dict(
    backbone=dict(
        type="SEResNet",
        se_cfg=dict(reduction=16),
        init_cfg=dict(checkpoint="timm://seresnet50.a3_in1k"),
    )
)
