# ECA (arXiv 1910.03151) in place of SE, with the weights of the plain twin, faster_rcnn_r50_fpn.py.
# They have none: it starts as initialized, and the first stage, which is frozen, does without.
_base_ = "../faster_rcnn_r50_fpn.py"
model = dict(
    backbone=dict(type="SEResNet", se_cfg=[None] + 3 * [dict(type="TimmAttention", name="eca")])
)
