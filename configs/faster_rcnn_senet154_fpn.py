# SENet-154 (appendix), with its authors' weights, ported from Caffe, whose pooling rounds up.
_base_ = "./faster_rcnn_r50_fpn.py"
model = dict(
    backbone=dict(
        type="SENet",
        depth=154,
        se_cfg=dict(reduction=16),
        stem_pool="ceil",
        init_cfg=dict(checkpoint="timm://legacy_senet154.in1k"),
    )
)
