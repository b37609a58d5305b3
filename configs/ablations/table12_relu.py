# Table 12, ReLU
_base_ = "../faster_rcnn_se_r50_fpn.py"
model = dict(backbone=dict(se_cfg=dict(gate="relu", bias=False)))
