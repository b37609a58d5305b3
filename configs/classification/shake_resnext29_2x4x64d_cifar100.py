# Shake-Even 29 2x4x64d with Cutout of 8 pixels (Table 5), on one GPU, in batches of 32.
_base_ = ["./_base_/cifar100.py", "./_base_/cifar_shake.py"]
model = dict(
    type="ImageClassifier",
    backbone=dict(type="mmdet.ShakeResNeXt", depth=29, groups=4, base_width=64, backward="even"),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(
        type="LinearClsHead",
        num_classes=100,
        in_channels=1024,
        loss=dict(type="CrossEntropyLoss"),
    ),
)
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        pipeline=[
            *_base_.train_pipeline[:-1],
            dict(type="MeanCutout", size=8, mean=_base_.data_preprocessor.mean),
            dict(type="PackInputs"),
        ]
    ),
)
optim_wrapper = dict(optimizer=dict(lr=0.025, weight_decay=5e-4))
auto_scale_lr = dict(base_batch_size=32)
