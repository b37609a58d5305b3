# Inception-ResNet-v2 (Table 2), with TF-slim's weights. Its layers without padding get some
# (`align`), as in TF's own detectors, so that its maps lie where anchors are.
_base_ = "./faster_rcnn_r50_fpn.py"
model = dict(
    data_preprocessor=dict(mean=[127.5, 127.5, 127.5], std=[127.5, 127.5, 127.5]),
    backbone=dict(
        _delete_=True,
        type="TimmBackbone",
        model_name="inception_resnet_v2",
        align=True,
        frozen_stages=1,
        norm_eval=True,
        init_cfg=dict(type="Pretrained", checkpoint="timm://inception_resnet_v2.tf_in1k"),
    ),
    neck=dict(in_channels=[192, 320, 1088, 1536]),
)
