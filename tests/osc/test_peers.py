"""What others send is understood, and what we send is understood by others: liblo and Pure Data."""

import itertools
import os
import shutil
import socket
import subprocess
import time

import pytest

from audiobend.osc.client import OscClient
from audiobend.osc.server import OscServer
from tests.osc.ports import free_port


def needs(program):
    """Skip a test where a program is missing; where everything must be there, let it fail."""
    missing = shutil.which(program) is None and os.environ.get("CI") != "true"
    return pytest.mark.skipif(missing, reason=f"{program} is not installed")


@pytest.fixture
def server(desk):
    with OscServer(desk, port=0) as running:
        yield running


def eventually(holds, seconds=20):
    """Wait for something that another process does."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.02)


@needs("oscsend")
@pytest.mark.parametrize(
    "types, values, radius",
    [("i", ["5"], 5), ("f", ["6.0"], 6), ("h", ["7"], 7), ("d", ["8.0"], 8), ("T", [], 1), ("s", ["loud"], 2)],
)
def test_liblo_sets_values_with_every_type_it_has(server, desk, types, values, radius):
    words = ["oscsend", f"osc.udp://127.0.0.1:{server.port}"]
    subprocess.run([*words, "/audiobend/bend/fog/radius", types, *values], check=True)
    subprocess.run([*words, "/audiobend/gain", "f", "-6"], check=True)
    eventually(lambda: desk.state.gain_db == -6)
    assert desk.state.patch.bend("fog").params["radius"] == radius


@needs("oscdump")
def test_liblo_reads_all_that_a_subscriber_is_told(server, desk):
    port = free_port()
    dump = subprocess.Popen(["oscdump", "-L", f"osc.udp://:{port}"], stdout=subprocess.PIPE, text=True)
    try:
        eventually(lambda: is_taken(port))
        with OscClient("127.0.0.1", server.port) as subscriber, OscClient("127.0.0.1", server.port) as player:
            subscriber.send("/audiobend/notify", [1, port])
            subscriber.send("/audiobend/ping", [3])    # what is asked is answered there too
            printed = (line.split(maxsplit=1)[1].strip() for line in dump.stdout)
            lines = list(itertools.islice(printed, 2))
            player.request("/audiobend/bend/fog/radius", [16])
            player.request("/audiobend/bend/fog/features", ["cluster 1"])
            told = [next(printed)]
            while "features" not in told[-1]:
                told.append(next(printed))
    finally:
        dump.kill()
        dump.communicate()
    assert lines == ['/audiobend/done sii "/audiobend/notify" 1 32', "/audiobend/pong i 3"]
    assert told[:2] == ["/audiobend/bend/fog/radius i 16", "/audiobend/bend/fog/radius/norm f 0.500000"]
    assert told[-1] == '/audiobend/bend/fog/features s "cluster 1"'


def is_taken(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.bind(("", port))
        except OSError:
            return True
    return False


@needs("pd")
def test_pure_data_sets_values_and_hears_the_answer_at_its_own_socket(server, desk, tmp_path):
    """A patch whose messages are lists; ``oscformat`` makes addresses of their words."""
    patch = tmp_path / "play.pd"
    patch.write_text(pd_patch(server.port))
    words = ["pd", "-nogui", "-noaudio", "-nomidi", "-stderr", "-open", str(patch)]
    pd = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        heard = next(line for line in pd.stderr if line.startswith("heard:"))
    finally:
        pd.kill()
        pd.communicate()
    assert heard.split()[1:] == ["list", "audiobend", "bend", "fog", "radius", "5"]
    state = desk.state
    assert (state.patch.bend("fog").params["radius"], state.gain_db) == (5, -6.5)
    assert state.patch.bend("layer2.all.invert").on


def pd_patch(port):
    """A Pd patch that connects, sets three values, asks for one, and prints what it hears."""
    sends = [("bend/fog/radius", "5"), ("layer/2/all/invert", "1"), ("gain", "-6.5"), ("bend/fog/radius", "")]
    objects = ["obj 10 10 loadbang", f"msg 10 40 connect 127.0.0.1 {port}", "obj 300 40 netsend -u -b",
               "obj 300 70 oscparse", "obj 300 100 print heard", "obj 300 10 list prepend send", "obj 300 25 list trim"]
    wires = [(0, 0, 1, 0), (1, 0, 2, 0), (2, 1, 3, 0), (3, 0, 4, 0), (5, 0, 6, 0), (6, 0, 2, 0)]
    for n, (address, value) in enumerate(sends):
        first = len(objects)
        objects += [f"obj 10 {100 + 90 * n} del {200 + 100 * n}", f"msg 10 {130 + 90 * n} list {value}".rstrip(),
                    f"obj 10 {160 + 90 * n} oscformat audiobend {address.replace('/', ' ')}"]
        wires += [(0, 0, first, 0), (first, 0, first + 1, 0), (first + 1, 0, first + 2, 0), (first + 2, 0, 5, 0)]
    lines = ["#N canvas 0 0 600 600 12;", *(f"#X {one};" for one in objects)]
    return "\n".join([*lines, *(f"#X connect {a} {b} {c} {d};" for a, b, c, d in wires)]) + "\n"
