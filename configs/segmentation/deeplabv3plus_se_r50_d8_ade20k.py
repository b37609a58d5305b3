# DeepLabV3+ with SE-ResNet-50 at stride 8, of timm's weights.
_base_ = "./deeplabv3plus_r50_d8_ade20k.py"
model = dict(
    backbone=dict(
        type="mmdet.SEResNet",
        se_cfg=dict(reduction=16),
        init_cfg=dict(checkpoint="timm://seresnet50.a1_in1k"),
    )
)
