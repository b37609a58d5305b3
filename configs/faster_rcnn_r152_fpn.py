# Faster R-CNN with ResNet-152.
_base_ = "./faster_rcnn_r50_fpn.py"
model = dict(backbone=dict(depth=152, init_cfg=dict(checkpoint="torchvision://resnet152")))
