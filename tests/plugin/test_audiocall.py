"""A million audio calls do nothing that a real-time thread must not do; and the check itself can fail."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs seccomp, which Linux alone has")


@pytest.fixture(scope="module")
def call(compiled):
    def run(*words: object) -> dict:
        program = compiled("audiocall")
        done = subprocess.run([program, *map(str, words)], check=True, capture_output=True, timeout=280)
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("n", [pytest.param(1_000_000, marks=pytest.mark.slow), 200_000])
def test_a_million_calls_neither_allocate_nor_lock_nor_wait_nor_enter_the_system(call, n):
    found = call(n)
    assert (found["forbidden"], found["system_calls"]) == (0, 0), found
    # Dry, bent, late and replaced, and what comes out is always what went in, the delay later.
    assert found["wrong"] == 0, found
    assert min(found["bent"], found["late"], found["dry"]) > n // 100, found
    assert found["phases"] == 40


@pytest.mark.parametrize("sin", ["malloc", "lock", "sleep", "write"])
def test_a_call_that_does_such_a_thing_is_caught(call, sin):
    found = call(5000, sin)
    assert found["forbidden"] >= 5, found
    assert sin in found["first"], found
    if sin in ("sleep", "write"):    # memory and a free lock need no system call
        assert found["system_calls"] >= 5, found
