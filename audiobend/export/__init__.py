"""A bend that was found leaves home: as a file that runs without audiobend, in nn~, Neutone, TorchScript or ONNX.

Everything that runs in the host is compiled by `torch.jit.script` and needs torch alone; what builds it may use all of
audiobend.
"""
