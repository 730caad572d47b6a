"""Paints with exported files where there is torch and nothing else: ``python bare_painter.py job.pt result.pt``.

A job is a list of files, each with codes ``(batch, latent)``, a truncation, and what is set before: names and values.
"""

import sys


def main(job_path, result_path):
    from bare_player import Refuse  # its neighbour, where this runs as a program

    sys.meta_path.insert(0, Refuse())
    import torch

    torch.set_num_threads(1)
    out = []
    with torch.inference_mode():
        for file, codes, truncation, changes in torch.load(job_path, weights_only=True):
            module = torch.jit.load(file)
            for name, value in changes:
                assert getattr(module, f"set_{name}")(value) == 0
            styles = module.styles(codes, truncation)
            whole = module(codes, truncation)
            assert torch.equal(module.paint(styles), whole)
            out.append(torch.cat([module(one[None], truncation) for one in codes]))
            assert (out[-1] - whole).abs().max() < 1e-4    # alone and among others
    torch.save(out, result_path)
    loaded = {name.partition(".")[0] for name in sys.modules}
    assert not loaded & {"audiobend", "numpy", "numba", "scipy"}, loaded


if __name__ == "__main__":
    main(*sys.argv[1:])
