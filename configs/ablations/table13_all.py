# Table 13, SE_All
_base_ = "../faster_rcnn_se_r50_fpn.py"
model = dict(backbone=dict(se_cfg=dict(bias=False)))
