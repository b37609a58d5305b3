# SE after each of the 10 Inception modules, as in the authors' own SE-BN-Inception.
_base_ = "./bn_inception_in1k.py"
model = dict(
    backbone=dict(
        _delete_=True,
        type="mmdet.SEBackbone",
        backbone=_base_.model.backbone,
        units=r"inception_\d\w",
        se_cfg=dict(reduction=16),
    )
)
