"""The art: transforms on activation maps. Pure torch; knows no model, file, sound or picture.

>>> import torch
>>> from audiobend.bending import apply_transform
>>> maps = torch.randn(1, 512, 8, 33)        # (batch, feature, height, width)
>>> apply_transform("rotate", maps, {"angle": 45}, features=[0, 7]).shape
torch.Size([1, 512, 8, 33])
"""

from audiobend.bending import (
    affine,
    broad2020,
    filters,
    morphology,
    numerical,
    permutation,
    statistical,
    zheng2022,
)
from audiobend.bending.apply import apply_checked, apply_transform, check_features, warm_up
from audiobend.bending.bend import Bend, LatentBend, Output, Site, WeightBend
from audiobend.bending.checking import check_value, check_values
from audiobend.bending.clusters import Clusters, LayerClusters
from audiobend.bending.features import All, Cluster, Features, Indices, Random, Range
from audiobend.bending.macros import Binding
from audiobend.bending.modulation import Modulation
from audiobend.bending.patch import Patch
from audiobend.bending.plan import Plan
from audiobend.bending.resolution import resolve
from audiobend.bending.transform import PROFILES, TRANSFORMS, Param, Transform, get_transform

__all__ = [
    "PROFILES",
    "TRANSFORMS",
    "All",
    "Bend",
    "Binding",
    "Cluster",
    "Clusters",
    "Features",
    "Indices",
    "LatentBend",
    "LayerClusters",
    "Modulation",
    "Output",
    "Param",
    "Patch",
    "Plan",
    "Random",
    "Range",
    "Site",
    "Transform",
    "WeightBend",
    "affine",
    "apply_checked",
    "apply_transform",
    "broad2020",
    "check_features",
    "check_value",
    "check_values",
    "filters",
    "get_transform",
    "morphology",
    "numerical",
    "permutation",
    "resolve",
    "statistical",
    "warm_up",
    "zheng2022",
]
