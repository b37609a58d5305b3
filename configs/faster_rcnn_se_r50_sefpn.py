# SE in the backbone and on what leaves the FPN.
_base_ = "./faster_rcnn_se_r50_fpn.py"
model = dict(neck=dict(type="SEFPN", positions=["output"], se_cfg=dict(reduction=16)))
