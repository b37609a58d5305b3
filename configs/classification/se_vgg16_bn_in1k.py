# SE after the ReLU of each of the 13 convolutions.
_base_ = "./vgg16_bn_in1k.py"
model = dict(
    backbone=dict(
        _delete_=True,
        type="mmdet.SEBackbone",
        backbone=_base_.model.backbone,
        units=r"timm_model\.features_(2|5|9|12|16|19|22|26|29|32|36|39|42)",
        se_cfg=dict(reduction=16),
    )
)
