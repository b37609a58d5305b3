# The recipe of SENet-154 for crops of 320, in tests of an image of 352.
_base_ = "./competition.py"
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="RandomResizedCrop", scale=320),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="ResizeEdge", scale=352, edge="short"),
    dict(type="CenterCrop", crop_size=320),
    dict(type="PackInputs"),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
five_crops = [
    *(
        dict(type="CornerCrop", crop_size=320, corner=corner)
        for corner in ("top-left", "top-right", "bottom-left", "bottom-right")
    ),
    dict(type="CenterCrop", crop_size=320),
]
tta_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(
        type="TestTimeAug",
        transforms=[
            [dict(type="ResizeEdge", scale=352, edge="short")],
            five_crops,
            _base_.both_flips,
            [dict(type="PackInputs")],
        ],
    ),
]
multi_scale_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(
        type="TestTimeAug",
        transforms=[
            [dict(type="ResizeEdge", scale=scale, edge="short") for scale in (352, 384, 416)],
            five_crops,
            _base_.both_flips,
            [dict(type="PackInputs")],
        ],
    ),
]
