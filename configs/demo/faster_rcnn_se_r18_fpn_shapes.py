# The demo's detector with SE-ResNet-18.
_base_ = "./faster_rcnn_r18_fpn_shapes.py"
model = dict(backbone=dict(type="SEResNet", se_cfg=dict(reduction=16)))
