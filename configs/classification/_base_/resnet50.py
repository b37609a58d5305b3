# ResNet-50 in the paper's geometry, of 3.86 GFLOPs: the stride is in the first 1x1 convolution.
# Weights start by He's initialization, also the last norm of a unit at 1.
model = dict(
    type="ImageClassifier",
    backbone=dict(
        type="mmdet.ResNet",
        depth=50,
        style="caffe",
        out_indices=(3,),
        norm_eval=False,
        zero_init_residual=False,
    ),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(
        type="LinearClsHead",
        num_classes=1000,
        in_channels=2048,
        loss=dict(type="CrossEntropyLoss"),
    ),
)
