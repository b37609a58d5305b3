# A Faster R-CNN that trains from scratch on the embedded shapes in minutes on two CPU cores.
_base_ = "../faster_rcnn_r50_fpn.py"

data_root = "data/shapes/"
metainfo = dict(classes=("square", "triangle", "star", "ring", "cross", "sun", "moon"))

model = dict(
    # no weights, so nothing is frozen and batch norm learns its statistics
    backbone=dict(depth=18, frozen_stages=-1, norm_eval=False, init_cfg=None),
    # batch norm in neck and head too: without weights the box head hardly starts to learn
    neck=dict(in_channels=[64, 128, 256, 512], out_channels=64, norm_cfg=dict(type="BN")),
    rpn_head=dict(
        in_channels=64,
        feat_channels=64,
        anchor_generator=dict(scales=[4]),  # objects of 12 to 200 px
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=64, finest_scale=28),
        bbox_head=dict(
            type="ConvFCBBoxHead",
            in_channels=64,
            num_shared_convs=2,
            conv_out_channels=64,
            num_shared_fcs=1,
            fc_out_channels=256,
            norm_cfg=dict(type="BN"),
            num_classes=7,
        ),
    ),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=500, max_per_img=250),
        rcnn=dict(sampler=dict(num=128, pos_fraction=0.5)),
    ),
    test_cfg=dict(rpn=dict(nms_pre=500, max_per_img=250)),
)

train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(type="Resize", scale=(256, 256), keep_ratio=True),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PackDetInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(256, 256), keep_ratio=True),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(
        type="PackDetInputs",
        meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor"),
    ),
]
train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    dataset=dict(data_root=data_root, metainfo=metainfo, pipeline=train_pipeline),
)
val_dataloader = dict(
    batch_size=4,
    num_workers=1,
    dataset=dict(data_root=data_root, metainfo=metainfo, pipeline=test_pipeline),
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + "annotations/instances_val2017.json")
test_evaluator = val_evaluator

max_epochs = 6
train_cfg = dict(max_epochs=max_epochs, val_interval=max_epochs)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=50),
    dict(
        type="CosineAnnealingLR",
        begin=0,
        end=max_epochs,
        T_max=max_epochs,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type="AdamW", lr=1e-3, weight_decay=0.05),
    clip_grad=dict(max_norm=10.0),
)
auto_scale_lr = dict(base_batch_size=4)
default_hooks = dict(logger=dict(interval=10), checkpoint=dict(max_keep_ckpts=2))
