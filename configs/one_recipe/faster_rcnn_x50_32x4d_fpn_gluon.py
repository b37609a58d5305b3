# ResNeXt-50 32x4d of gluon's recipe, as timm has its weights.
_base_ = "./faster_rcnn_r50_fpn_a1.py"
model = dict(
    backbone=dict(
        type="ResNeXt",
        groups=32,
        base_width=4,
        init_cfg=dict(checkpoint="timm://resnext50_32x4d.gluon_in1k"),
    )
)
