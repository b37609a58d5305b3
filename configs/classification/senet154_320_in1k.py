# SENet-154 on crops of 320 (Tables 8 and 9).
# Trained on crops of 320 (Table 9); it tests what was trained at 224 at 320, too (Table 8).
_base_ = ["./_base_/senet154.py", "./_base_/competition_320.py"]
