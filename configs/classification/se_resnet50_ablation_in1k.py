# SE-ResNet-50 in the recipe of the ablations.
# In the ablations SE has no biases. Those of Tables 10 to 16 are other `se_cfg`, which stand in
# configs/ablations.
_base_ = "./resnet50_ablation_in1k.py"
model = dict(backbone=dict(type="mmdet.SEResNet", se_cfg=dict(reduction=16, bias=False)))
