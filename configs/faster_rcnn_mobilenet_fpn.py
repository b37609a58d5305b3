# MobileNet (Table 3), with timm's weights and its activation, ReLU6.
_base_ = "./faster_rcnn_r50_fpn.py"
model = dict(
    data_preprocessor=dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5]),
    backbone=dict(
        _delete_=True,
        type="TimmBackbone",
        model_name="mobilenetv1_100",
        frozen_stages=1,
        norm_eval=True,
        init_cfg=dict(type="Pretrained", checkpoint="timm://mobilenetv1_100.ra4_e3600_r224_in1k"),
    ),
    neck=dict(in_channels=[128, 256, 512, 1024]),
)
