# Table 14, SE-Identity
_base_ = "../faster_rcnn_se_r50_fpn.py"
model = dict(backbone=dict(se_cfg=dict(placement="identity", bias=False)))
