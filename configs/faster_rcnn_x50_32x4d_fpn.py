# Faster R-CNN with ResNeXt-50 32x4d.
_base_ = "./faster_rcnn_r50_fpn.py"
model = dict(
    backbone=dict(
        type="ResNeXt",
        groups=32,
        base_width=4,
        init_cfg=dict(checkpoint="torchvision://resnext50_32x4d"),
    )
)
