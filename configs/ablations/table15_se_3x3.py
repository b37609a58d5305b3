# Table 15, SE_3x3
_base_ = "../faster_rcnn_se_r50_fpn.py"
model = dict(backbone=dict(se_cfg=dict(placement="conv2", bias=False)))
