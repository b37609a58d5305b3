# SE-ResNet-50, for a GPU.
_base_ = "./faster_rcnn_r50_bccd.py"
model = dict(backbone=dict(type="SEResNet", se_cfg=dict(reduction=16)))
