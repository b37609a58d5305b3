# Section 4: SE in every stage but the last saves most of the parameters
_base_ = "./faster_rcnn_r18_bccd.py"
model = dict(backbone=dict(type="SEResNet", se_cfg=3 * [dict(reduction=16)] + [None]))
