# ECA (arXiv 1910.03151) in place of SE
_base_ = "./faster_rcnn_r18_bccd.py"
model = dict(backbone=dict(type="SEResNet", se_cfg=dict(type="TimmAttention", name="eca")))
