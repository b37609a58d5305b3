# mmsegmentation's DeepLabV3+ on ADE20K (80,000 iterations of batch 16, 512x512) with ResNet-50 at
# output stride 8. Both twins start from weights of one training recipe, as in one_recipe/.
_base_ = [
    "mmseg::_base_/models/deeplabv3plus_r50-d8.py",
    "mmseg::_base_/datasets/ade20k.py",
    "mmseg::_base_/default_runtime.py",
    "mmseg::_base_/schedules/schedule_80k.py",
]
custom_imports = dict(imports=["senet_mm"], allow_failed_imports=False)
model = dict(
    pretrained=None,
    data_preprocessor=dict(size=(512, 512)),
    backbone=dict(
        type="ResNet",
        init_cfg=dict(type="Pretrained", checkpoint="timm://resnet50.a1_in1k"),
    ),
    decode_head=dict(num_classes=150),
    auxiliary_head=dict(num_classes=150),
)
