# ResNeXt-50 32x4d (Table 2).
# ResNeXt keeps the stride in its 3x3 convolutions.
_base_ = "./resnet50_in1k.py"
model = dict(backbone=dict(type="mmdet.ResNeXt", groups=32, base_width=4, style="pytorch"))
