# Table 12, Tanh
_base_ = "../faster_rcnn_se_r50_fpn.py"
model = dict(backbone=dict(se_cfg=dict(gate="tanh", bias=False)))
