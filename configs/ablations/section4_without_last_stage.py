# Section 4: SE in every stage but the last saves most of the parameters
_base_ = "../faster_rcnn_se_r50_fpn.py"
model = dict(backbone=dict(se_cfg=[dict(bias=False), dict(bias=False), dict(bias=False), None]))
