# ResNet-50 of timm's A2 recipe.
_base_ = "./faster_rcnn_r50_fpn_a1.py"
model = dict(backbone=dict(init_cfg=dict(checkpoint="timm://resnet50.a2_in1k")))
