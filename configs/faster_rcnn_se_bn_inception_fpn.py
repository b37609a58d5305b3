# SE after each of the 10 Inception modules, as in the authors' own SE-BN-Inception.
# It starts as the identity, from the weights of the plain twin.
_base_ = "./faster_rcnn_bn_inception_fpn.py"
model = dict(
    backbone=dict(
        _delete_=True,
        type="SEBackbone",
        backbone=_base_.model.backbone,
        units=r"inception_\d\w",
        se_cfg=dict(reduction=16, identity_init=True),
    )
)
