# BN-Inception (Table 2), with the weights of Cadene's pretrainedmodels: BGR, values in 0..255.
_base_ = "./faster_rcnn_r50_fpn.py"
model = dict(
    data_preprocessor=dict(mean=[104.0, 117.0, 128.0], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
    backbone=dict(
        _delete_=True,
        type="BNInception",
        frozen_stages=1,
        norm_eval=True,
        init_cfg=dict(
            type="Pretrained",
            checkpoint="http://data.lip6.fr/cadene/pretrainedmodels/bn_inception-52deb4733.pth",
        ),
    ),
    neck=dict(in_channels=[192, 320, 608, 1024]),
)
