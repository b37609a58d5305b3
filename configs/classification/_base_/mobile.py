# The recipe of Table 3, MobileNet and ShuffleNet: batch 256 on 8 GPUs, lr 0.1, a tenth of it when
# the validation no longer gets better, about 400 epochs, milder crops, and a weight decay of 4e-5
# (of an earlier text). A classifier's validation has no loss here, so accuracy is watched. How mild
# the crops are (from a quarter of the image up) and the patience are our choice.
_base_ = "./imagenet.py"
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="RandomResizedCrop", scale=224, crop_ratio_range=(0.25, 1.0)),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackInputs"),
]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=4e-5))
param_scheduler = [
    dict(
        type="ReduceOnPlateauLR",
        monitor="accuracy/top1",
        rule="greater",
        factor=0.1,
        patience=20,
        by_epoch=True,
    )
]
train_cfg = dict(by_epoch=True, max_epochs=400, val_interval=1)
auto_scale_lr = dict(base_batch_size=256)
