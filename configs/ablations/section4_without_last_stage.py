# Section 4: SE in every stage but the last saves most of the parameters
_base_ = "./_base_.py"
model = dict(backbone=dict(se_cfg=[dict(bias=False), dict(bias=False), dict(bias=False), None]))
