# ShuffleNet 1x with 3 groups (Table 3).
_base_ = "./_base_/mobile.py"
model = dict(
    type="ImageClassifier",
    backbone=dict(type="mmdet.ShuffleNetV1", groups=3, out_indices=(3,)),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(
        type="LinearClsHead",
        num_classes=1000,
        in_channels=960,
        loss=dict(type="CrossEntropyLoss"),
    ),
)
