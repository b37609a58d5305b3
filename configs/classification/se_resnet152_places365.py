_base_ = "./resnet152_places365.py"
model = dict(backbone=dict(type="mmdet.SEResNet", se_cfg=dict(reduction=16)))
