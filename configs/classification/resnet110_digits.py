# ResNet-110 of Tables 4 and 5 on real digits: a training that a CPU does in minutes.
_base_ = "./_base_/digits.py"
model = dict(
    type="ImageClassifier",
    backbone=dict(type="mmdet.PreActResNet", depth=110, shortcut="zero"),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(
        type="LinearClsHead",
        num_classes=10,
        in_channels=64,
        loss=dict(type="CrossEntropyLoss"),
    ),
)
