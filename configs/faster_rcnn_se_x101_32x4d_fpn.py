# Faster R-CNN with SE-ResNeXt-101 32x4d.
# The paper's own weights, ported from Caffe, whose pooling rounds up.
_base_ = "./faster_rcnn_x101_32x4d_fpn.py"
model = dict(
    backbone=dict(
        type="SEResNeXt",
        se_cfg=dict(reduction=16),
        stem_pool="ceil",
        init_cfg=dict(checkpoint="timm://legacy_seresnext101_32x4d.in1k"),
    )
)
