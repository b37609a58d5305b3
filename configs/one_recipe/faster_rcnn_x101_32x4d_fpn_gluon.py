# ResNeXt-101 32x4d of gluon's recipe.
_base_ = "./faster_rcnn_x50_32x4d_fpn_gluon.py"
model = dict(
    backbone=dict(depth=101, init_cfg=dict(checkpoint="timm://resnext101_32x4d.gluon_in1k"))
)
