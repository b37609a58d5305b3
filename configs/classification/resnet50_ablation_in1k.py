# ResNet-50 in the recipe of the ablations (section 6).
_base_ = ["./_base_/resnet50.py", "./_base_/ablation.py"]
model = dict(
    head=dict(
        loss=dict(
            _delete_=True,
            type="LabelSmoothLoss",
            label_smooth_val=0.1,
            mode="original",
        )
    )
)
