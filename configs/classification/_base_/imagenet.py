# ImageNet as the paper trains and tests on it (section 5.1): crops of random size and aspect ratio,
# mirror images, the mean subtracted and no deviation divided by; a central crop of 224 of the image
# whose shorter side is 256. A recipe says the rest; 8 GPUs of 128 images are the paper's 1024.
_base_ = "./runtime.py"
data_preprocessor = dict(
    num_classes=1000, mean=[123.0, 117.0, 104.0], std=[1.0, 1.0, 1.0], to_rgb=True
)
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="RandomResizedCrop", scale=224),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="ResizeEdge", scale=256, edge="short"),
    dict(type="CenterCrop", crop_size=224),
    dict(type="PackInputs"),
]
train_dataloader = dict(
    batch_size=128,
    num_workers=5,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="ImageNet", data_root="data/imagenet", split="train", pipeline=train_pipeline
    ),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=5,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="ImageNet", data_root="data/imagenet", split="val", pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="Accuracy", topk=(1, 5))
test_evaluator = val_evaluator
val_cfg = dict()
test_cfg = dict()

# With --tta: the mean of the scores of ten crops, or of those at three scales
tta_model = dict(type="AverageClsScoreTTA")
five_crops = [
    *(
        dict(type="CornerCrop", crop_size=224, corner=corner)
        for corner in ("top-left", "top-right", "bottom-left", "bottom-right")
    ),
    dict(type="CenterCrop", crop_size=224),
]
both_flips = [dict(type="RandomFlip", prob=0.0), dict(type="RandomFlip", prob=1.0)]
tta_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(
        type="TestTimeAug",
        transforms=[
            [dict(type="ResizeEdge", scale=256, edge="short")],
            five_crops,
            both_flips,
            [dict(type="PackInputs")],
        ],
    ),
]
multi_scale_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(
        type="TestTimeAug",
        transforms=[
            [dict(type="ResizeEdge", scale=scale, edge="short") for scale in (256, 288, 320)],
            five_crops,
            both_flips,
            [dict(type="PackInputs")],
        ],
    ),
]
