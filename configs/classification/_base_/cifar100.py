# CIFAR-100: mirror images and crops of the image with 4 pixels around it that are zero once it is
# normalized (its mean before); mean and deviation of its training images.
_base_ = "./runtime.py"
data_preprocessor = dict(
    num_classes=100, mean=[129.3, 124.1, 112.4], std=[68.2, 65.4, 70.4], to_rgb=False
)
train_pipeline = [
    dict(type="RandomCrop", crop_size=32, padding=4, pad_val=(129, 124, 112)),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackInputs"),
]
train_dataloader = dict(
    batch_size=128,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="CIFAR100",
        data_root="data/cifar100",
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
        type="CIFAR100",
        data_root="data/cifar100",
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
