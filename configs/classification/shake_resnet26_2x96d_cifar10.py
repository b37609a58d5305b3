# Shake-Shake 26 2x96d with Cutout of 16 pixels (Table 4).
_base_ = ["./_base_/cifar10.py", "./_base_/cifar_shake.py"]
model = dict(
    type="ImageClassifier",
    backbone=dict(type="mmdet.ShakeResNet", depth=26, base_channels=96),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(
        type="LinearClsHead",
        num_classes=10,
        in_channels=384,
        loss=dict(type="CrossEntropyLoss"),
    ),
)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            *_base_.train_pipeline[:-1],
            dict(type="MeanCutout", size=16, mean=_base_.data_preprocessor.mean),
            dict(type="PackInputs"),
        ]
    )
)
