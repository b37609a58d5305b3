# ShuffleNet 1x with 3 groups (Table 3), with mmpretrain's weights.
_base_ = "./faster_rcnn_r50_fpn.py"
model = dict(
    backbone=dict(
        _delete_=True,
        type="ShuffleNetV1",
        frozen_stages=0,
        norm_eval=True,
        init_cfg=dict(
            type="Pretrained",
            checkpoint=(
                "https://download.openmmlab.com/mmclassification/v0/shufflenet_v1/"
                "shufflenet_v1_batch1024_imagenet_20200804-5d6cec73.pth"
            ),
        ),
    ),
    neck=dict(in_channels=[24, 240, 480, 960]),
)
