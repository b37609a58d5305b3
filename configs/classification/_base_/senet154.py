# SENet-154 of the competition (appendix).
model = dict(
    type="ImageClassifier",
    backbone=dict(
        type="mmdet.SENet",
        depth=154,
        se_cfg=dict(reduction=16),
        out_indices=(3,),
        norm_eval=False,
        zero_init_residual=False,
    ),
    neck=dict(type="mmdet.VectorNeck", pool=True, dropout=0.2),
    head=dict(
        type="LinearClsHead",
        num_classes=1000,
        in_channels=2048,
        loss=dict(type="LabelSmoothLoss", label_smooth_val=0.1, mode="original"),
    ),
)
