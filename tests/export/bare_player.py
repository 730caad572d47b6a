"""Plays an exported file in an interpreter that has torch and nothing else: ``python bare_player.py job.pt result.pt``.

A job is a file, samples ``(channel, time)``, sizes of blocks that take turns, and attributes that are set at samples.
"""

import itertools
import sys

OF_TORCH = {
    "torch", "torchgen", "functorch", "typing_extensions", "sympy", "mpmath", "networkx", "jinja2", "markupsafe",
    "fsspec", "filelock", "triton", "nvidia", "setuptools", "_distutils_hack", "__main__",
}    # fmt: skip


class Refuse:
    """Lets nothing be imported but torch, what torch needs, and the standard library."""

    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in OF_TORCH and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"{name} is not there", name=name)


def main(job_path, result_path):
    sys.meta_path.insert(0, Refuse())
    import torch

    torch.set_num_threads(1)
    job = torch.load(job_path, weights_only=True)
    module = torch.jit.load(job["file"])
    samples, out, done, changes = job["samples"], [], 0, sorted(job["changes"])
    with torch.inference_mode():
        for size in itertools.cycle(job["sizes"]):
            if done >= samples.shape[1]:
                break
            while changes and changes[0][0] <= done:
                _, name, value = changes.pop(0)
                assert getattr(module, f"set_{name}")(value) == 0
            out.append(module(samples[None, :, done : done + size])[0])
            done += size
    torch.save(torch.cat(out, dim=1), result_path)
    loaded = {name.partition(".")[0] for name in sys.modules}
    assert not loaded & {"audiobend", "numpy", "numba", "scipy"}, loaded


if __name__ == "__main__":
    main(*sys.argv[1:])
