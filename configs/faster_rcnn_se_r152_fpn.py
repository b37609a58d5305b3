# Faster R-CNN with SE-ResNet-152.
# The paper's own weights, ported from Caffe: stride in the first 1x1, and pooling that rounds up.
_base_ = "./faster_rcnn_r152_fpn.py"
model = dict(
    backbone=dict(
        type="SEResNet",
        se_cfg=dict(reduction=16),
        style="caffe",
        stem_pool="ceil",
        init_cfg=dict(checkpoint="timm://legacy_seresnet152.in1k"),
    )
)
