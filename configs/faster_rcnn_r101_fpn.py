# Faster R-CNN with ResNet-101 (Table 7).
_base_ = "./faster_rcnn_r50_fpn.py"
model = dict(backbone=dict(depth=101, init_cfg=dict(checkpoint="torchvision://resnet101")))
