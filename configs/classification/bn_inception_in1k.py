# BN-Inception (Table 2).
_base_ = "./_base_/paper.py"
model = dict(
    type="ImageClassifier",
    backbone=dict(type="mmdet.BNInception", out_indices=(3,)),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(
        type="LinearClsHead",
        num_classes=1000,
        in_channels=1024,
        loss=dict(type="CrossEntropyLoss"),
    ),
)
