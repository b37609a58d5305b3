# Table 13, SE_Stage_3
_base_ = "../faster_rcnn_se_r50_fpn.py"
model = dict(backbone=dict(se_cfg=[None, dict(bias=False), None, None]))
