# SE starts as the identity, from the weights of the plain twin, faster_rcnn_r50_fpn.py: at step 0
# both compute the same. In the frozen first stage SE stays the identity.
_base_ = "./faster_rcnn_r50_fpn.py"
model = dict(backbone=dict(type="SEResNet", se_cfg=dict(reduction=16, identity_init=True)))
