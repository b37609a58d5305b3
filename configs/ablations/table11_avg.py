# Table 11, Avg
_base_ = "../faster_rcnn_se_r50_fpn.py"
model = dict(backbone=dict(se_cfg=dict(squeeze="avg", bias=False)))
