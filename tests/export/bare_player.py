"""Plays an exported file in an interpreter that has torch and nothing else: ``python bare_player.py job.pt``.

A job is a file, samples ``(channel, time)``, sizes of blocks that take turns, and attributes that are set at samples.
"""

import sys

OF_TORCH = {
    "torch", "torchgen", "functorch", "typing_extensions", "sympy", "mpmath", "networkx", "jinja2", "markupsafe",
    "fsspec", "filelock", "triton", "nvidia", "setuptools", "_distutils_hack", "__main__",
}    # fmt: skip


class Refuse:
    """Lets nothing be imported but torch, what torch needs, and the standard library."""

    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in OF_TORCH or top in sys.stdlib_module_names:
            return
        raise ModuleNotFoundError(f"{name} is not there", name=name)


sys.meta_path.insert(0, Refuse())

import itertools  # noqa: E402

import torch  # noqa: E402


def play(job):
    torch.set_num_threads(1)
    module = torch.jit.load(job["file"])
    samples, out, done = job["samples"], [], 0
    changes = sorted(job.get("changes", []))
    with torch.inference_mode():
        for size in itertools.cycle(job["sizes"]):
            if done >= samples.shape[1]:
                break
            while changes and changes[0][0] <= done:
                _, name, value = changes.pop(0)
                assert getattr(module, f"set_{name}")(value) == 0
            out.append(module(samples[None, :, done : done + size])[0])
            done += size
    return torch.cat(out, dim=1)


if __name__ == "__main__":
    job = torch.load(sys.argv[1], weights_only=True)
    torch.save(play(job), sys.argv[2])
    loaded = {name.partition(".")[0] for name in sys.modules}
    assert not loaded & {"audiobend", "numpy", "numba", "scipy"}, loaded
