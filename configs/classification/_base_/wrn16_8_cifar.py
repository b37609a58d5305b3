model = dict(
    type="ImageClassifier",
    backbone=dict(type="mmdet.WideResNet", depth=16, widen_factor=8),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(
        type="LinearClsHead",
        num_classes=10,
        in_channels=512,
        loss=dict(type="CrossEntropyLoss"),
    ),
)
