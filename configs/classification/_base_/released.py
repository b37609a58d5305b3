# The recipe of the authors' released models, which are better than Table 2: batch 256, lr 0.1,
# rotation by up to 10 degrees and jitter of the channels by up to 20. They trained for longer and
# do not say how long; 120 epochs with the paper's steps stretched are our choice.
_base_ = "./imagenet.py"
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(
        type="Rotate",
        magnitude_range=(0, 10),
        magnitude_std="inf",  # uniform
        prob=1.0,
        random_negative_prob=0.5,
        interpolation="bilinear",
        pad_val=(104, 117, 123),  # BGR
    ),
    dict(type="RandomResizedCrop", scale=224),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PixelJitter", limit=20),
    dict(type="PackInputs"),
]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=1e-4))
param_scheduler = [dict(type="MultiStepLR", by_epoch=True, milestones=[36, 72, 108], gamma=0.1)]
train_cfg = dict(by_epoch=True, max_epochs=120, val_interval=1)
auto_scale_lr = dict(base_batch_size=256)
