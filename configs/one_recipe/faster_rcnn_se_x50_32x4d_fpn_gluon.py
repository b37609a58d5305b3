# SE-ResNeXt-50 32x4d of gluon's recipe.
_base_ = "./faster_rcnn_x50_32x4d_fpn_gluon.py"
model = dict(
    backbone=dict(
        type="SEResNeXt",
        se_cfg=dict(reduction=16),
        init_cfg=dict(checkpoint="timm://seresnext50_32x4d.gluon_in1k"),
    )
)
