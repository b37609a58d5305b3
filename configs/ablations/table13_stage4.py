# Table 13, SE_Stage_4
_base_ = "../faster_rcnn_se_r50_fpn.py"
model = dict(backbone=dict(se_cfg=[None, None, dict(bias=False), None]))
