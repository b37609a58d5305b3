# scikit-learn's 1,797 digits as a folder of images of 16x16, which `studies.digits` writes, and
# CIFAR's augmentation without the mirror image, which changes what a digit means.
_base_ = "./runtime.py"
data_preprocessor = dict(
    num_classes=10, mean=[79.4, 79.4, 79.4], std=[90.3, 90.3, 90.3], to_rgb=False
)
train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="CustomDataset",
        data_root="data/digits",
        data_prefix="train",
        pipeline=[
            dict(type="LoadImageFromFile"),
            dict(type="RandomCrop", crop_size=16, padding=2),
            dict(type="PackInputs"),
        ],
    ),
)
val_dataloader = dict(
    batch_size=100,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="CustomDataset",
        data_root="data/digits",
        data_prefix="val",
        pipeline=[dict(type="LoadImageFromFile"), dict(type="PackInputs")],
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="Accuracy", topk=(1, 5))
test_evaluator = val_evaluator

# ResNet-110's recipe in little: 348 iterations of 32 images in place of 64,000 of 128. lr 0.1, in
# the first epoch a tenth of it, and again from 1/2 of the training on, a hundredth from 3/4 on.
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(type="ConstantLR", factor=0.1, by_epoch=True, begin=0, end=2),  # it ends one before
    dict(type="MultiStepLR", by_epoch=True, milestones=[6, 9], gamma=0.1),
]
train_cfg = dict(by_epoch=True, max_epochs=12, val_interval=4)
val_cfg = dict()
test_cfg = dict()
