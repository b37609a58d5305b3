# SE around a neck of mmdet's, here PAFPN.
_base_ = "./faster_rcnn_r50_fpn.py"
model = dict(
    neck=dict(
        _delete_=True,
        type="SENeck",
        positions=["output"],
        se_cfg=dict(reduction=16),
        neck=dict(type="PAFPN", in_channels=[256, 512, 1024, 2048], out_channels=256, num_outs=5),
    )
)
