# The demo's detector with a mask head and SE-ResNet-18.
_base_ = "./mask_rcnn_r18_fpn_shapes.py"
model = dict(backbone=dict(type="SEResNet", se_cfg=dict(reduction=16)))
