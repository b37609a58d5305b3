# SENet-154 on crops of 224 (Table 8).
_base_ = ["./_base_/senet154.py", "./_base_/competition.py"]
