# ResNet-50 of timm's A1 recipe.
# Both twins of this folder's pairs start from weights of one training recipe: here timm's A1
# (Wightman et al., "ResNet strikes back", arXiv 2110.00476). Optimizer: mmdet's for such weights.
_base_ = "../faster_rcnn_r50_fpn.py"
model = dict(backbone=dict(init_cfg=dict(checkpoint="timm://resnet50.a1_in1k")))
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type="AdamW", lr=0.0002, weight_decay=0.05),
    paramwise_cfg=dict(norm_decay_mult=0.0, bypass_duplicate=True),
)
