# SE-ResNet-18, trained from scratch.
_base_ = "./faster_rcnn_r18_bccd.py"
model = dict(backbone=dict(type="SEResNet", se_cfg=dict(reduction=16)))
