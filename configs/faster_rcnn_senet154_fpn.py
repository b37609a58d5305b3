# SENet-154 (appendix). The released Caffe port needs stem_pool="ceil".
_base_ = "./faster_rcnn_r50_fpn.py"
model = dict(
    backbone=dict(type="SENet", depth=154, se_cfg=dict(reduction=16), init_cfg=dict(_delete_=True))
)
