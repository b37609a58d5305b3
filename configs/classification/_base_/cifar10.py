# CIFAR-10: mirror images and crops of the image with 4 pixels around it that are zero once it is
# normalized (its mean before); mean and deviation of its training images.
_base_ = "./runtime.py"
data_preprocessor = dict(
    num_classes=10, mean=[125.3, 123.0, 113.9], std=[63.0, 62.1, 66.7], to_rgb=False
)
train_pipeline = [
    dict(type="RandomCrop", crop_size=32, padding=4, pad_val=(125, 123, 114)),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackInputs"),
]
train_dataloader = dict(
    batch_size=128,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="CIFAR10",
        data_root="data/cifar10",
        split="train",
        download=False,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=200,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="CIFAR10",
        data_root="data/cifar10",
        split="test",
        download=False,
        pipeline=[dict(type="PackInputs")],
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="Accuracy", topk=(1, 5))
test_evaluator = val_evaluator
val_cfg = dict()
test_cfg = dict()
