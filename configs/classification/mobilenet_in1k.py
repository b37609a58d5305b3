# MobileNet of timm, with ReLU as in its paper.
_base_ = "./_base_/mobile.py"
model = dict(
    type="ImageClassifier",
    backbone=dict(
        type="mmdet.TimmBackbone",
        model_name="mobilenetv1_100",
        act_layer="relu",
        out_indices=(4,),
        init_cfg=dict(type="Kaiming", layer="Conv2d"),
    ),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(
        type="LinearClsHead",
        num_classes=1000,
        in_channels=1024,
        loss=dict(type="CrossEntropyLoss"),
    ),
)
