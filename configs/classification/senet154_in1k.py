_base_ = ["./_base_/senet154.py", "./_base_/competition.py"]
