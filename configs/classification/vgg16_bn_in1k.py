# VGG-16 with batch norm (Table 2).
_base_ = "./_base_/paper.py"
model = dict(
    type="ImageClassifier",
    backbone=dict(
        type="mmdet.TimmBackbone",
        model_name="vgg16_bn",
        out_indices=(5,),
        init_cfg=dict(type="Kaiming", layer="Conv2d"),
    ),
    neck=dict(type="mmdet.VectorNeck", pool=False),
    head=dict(
        type="StackedLinearClsHead",
        num_classes=1000,
        in_channels=512 * 7 * 7,
        mid_channels=[4096, 4096],
        dropout_rate=0.5,
        loss=dict(type="CrossEntropyLoss"),
        init_cfg=dict(type="Normal", layer="Linear", std=0.01),
    ),
)
