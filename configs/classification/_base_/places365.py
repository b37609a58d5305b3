# Places365-Challenge (section 5.2): 8 million images to train on and 36,500 to validate on, whose
# lists `FILE LABEL` name files below the folders. Tests take the centre of the image made 256x256,
# whatever its shape. The paper refers to an earlier recipe for training; ours is that of Table 2
# for as many iterations, which are 16 epochs of this data.
_base_ = "./runtime.py"
data_preprocessor = dict(
    num_classes=365, mean=[123.0, 117.0, 104.0], std=[1.0, 1.0, 1.0], to_rgb=True
)
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="RandomResizedCrop", scale=224),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(256, 256), keep_ratio=False),
    dict(type="CenterCrop", crop_size=224),
    dict(type="PackInputs"),
]
train_dataloader = dict(
    batch_size=128,
    num_workers=5,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="CustomDataset",
        data_root="data/places365",
        data_prefix="data_256",
        ann_file="places365_train_challenge.txt",
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=5,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="CustomDataset",
        data_root="data/places365",
        data_prefix="val_256",
        ann_file="places365_val.txt",
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="Accuracy", topk=(1, 5))
test_evaluator = val_evaluator

optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.6, momentum=0.9, weight_decay=1e-4))
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, milestones=[5, 10, 15], gamma=0.1)]
train_cfg = dict(by_epoch=True, max_epochs=16, val_interval=1)
val_cfg = dict()
test_cfg = dict()
auto_scale_lr = dict(base_batch_size=1024)
