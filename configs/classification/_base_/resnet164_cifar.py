model = dict(
    type="ImageClassifier",
    backbone=dict(type="mmdet.PreActResNet", depth=164, bottleneck=True),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(
        type="LinearClsHead",
        num_classes=10,
        in_channels=256,
        loss=dict(type="CrossEntropyLoss"),
    ),
)
