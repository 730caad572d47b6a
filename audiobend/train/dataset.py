"""What the rest of training needs of the data, from the modules that each do one part of it."""

from audiobend.train.cache import ColumnCache
from audiobend.train.searching import sound_files
from audiobend.train.sounds import Sound, find_sounds, scan
from audiobend.train.tracks import Track, even_windows, load_tracks, mean_spectrum, split
from audiobend.train.windows import Augmentation, WindowSampler, read_weights

__all__ = [
    "Augmentation",
    "ColumnCache",
    "Sound",
    "Track",
    "WindowSampler",
    "even_windows",
    "find_sounds",
    "load_tracks",
    "mean_spectrum",
    "read_weights",
    "scan",
    "sound_files",
    "split",
]
