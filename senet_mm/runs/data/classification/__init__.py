"""The data of a classifier: image folders, ImageNet's lists and CIFAR's files."""
