# SE starts as the identity: at step 0 the network computes what the plain one does.
_base_ = "./faster_rcnn_r18_bccd.py"
model = dict(backbone=dict(type="SEResNet", se_cfg=dict(reduction=16, identity_init=True)))
