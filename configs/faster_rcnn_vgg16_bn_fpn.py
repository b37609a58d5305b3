# VGG-16 with batch norm (Table 2). C2 to C4 end before a pooling, C5 is behind the last one.
_base_ = "./faster_rcnn_r50_fpn.py"
model = dict(
    backbone=dict(
        _delete_=True,
        type="TimmBackbone",
        model_name="vgg16_bn",
        frozen_stages=0,  # the first two groups, as Fast R-CNN had them
        norm_eval=True,
        init_cfg=dict(type="Pretrained", checkpoint="torchvision://vgg16_bn"),
    ),
    neck=dict(in_channels=[256, 512, 512, 512]),
)
