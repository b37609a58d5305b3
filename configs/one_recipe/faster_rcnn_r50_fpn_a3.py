# ResNet-50 of timm's A3 recipe.
_base_ = "./faster_rcnn_r50_fpn_a1.py"
model = dict(backbone=dict(init_cfg=dict(checkpoint="timm://resnet50.a3_in1k")))
