# Inception-ResNet-v2 on crops of 299 (Table 2).
# A fifth of the features is dropped, as in arXiv 1602.07261.
_base_ = "./_base_/paper_299.py"
model = dict(
    type="ImageClassifier",
    backbone=dict(
        type="mmdet.TimmBackbone",
        model_name="inception_resnet_v2",
        out_indices=(4,),
        init_cfg=dict(type="Kaiming", layer="Conv2d"),
    ),
    neck=dict(type="mmdet.VectorNeck", pool=True, dropout=0.2),
    head=dict(
        type="LinearClsHead",
        num_classes=1000,
        in_channels=1536,
        loss=dict(type="CrossEntropyLoss"),
    ),
)
