"""The socket is the user's alone, and one server's; messages have their bounds; full is full."""

import socket
import threading

import pytest

from audiobend.errors import ControlError, DeviceError
from audiobend.server import messages
from audiobend.server.capacity import Capacity
from audiobend.server.messages import Line, Message
from audiobend.server.place import Door, answers, remove_stale, socket_path


@pytest.fixture
def path(place):
    return place() / "in" / "server.sock"


@pytest.fixture
def line(monkeypatch):
    monkeypatch.setattr(messages, "SENDING", 1)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    yield Line(ours), theirs
    ours.close()
    theirs.close()


def test_folder_and_socket_are_the_users_alone(path):
    with Door(path):
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert path.stat().st_mode & 0o777 == 0o600
        assert answers(path)
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o707, 0o770])
def test_a_folder_that_others_may_enter_is_refused(path, mode):
    path.parent.mkdir()
    path.parent.chmod(mode)
    with pytest.raises(DeviceError, match="others may enter it"):
        Door(path)


def test_a_link_in_the_place_of_the_folder_is_refused(path, place):
    path.parent.symlink_to(place())
    with pytest.raises(DeviceError, match="must be a folder and no link"):
        Door(path)


def test_what_is_no_socket_is_left_alone(path):
    path.parent.mkdir(mode=0o700)
    path.write_text("mine")
    with pytest.raises(DeviceError, match="is no socket"):
        Door(path)
    assert path.read_text() == "mine"


def test_a_second_server_is_refused_and_the_first_goes_on(path):
    with Door(path):
        with pytest.raises(DeviceError, match="another audiobend server runs here"):
            Door(path)
        assert answers(path)
        assert not list(remove_stale(path))


def test_a_socket_where_somebody_answers_is_not_taken(path):
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(path))
        other.listen(1)
        with pytest.raises(DeviceError, match="another server answers here"):
            Door(path)
        assert not list(remove_stale(path))


def test_a_socket_where_nobody_answers_is_replaced(path):
    path.parent.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as other:
        other.bind(str(path))
    assert path.is_socket() and not answers(path)
    with Door(path):
        assert answers(path)


def test_the_place_is_named_by_the_environment_or_the_system(monkeypatch):
    monkeypatch.setenv("AUDIOBEND_SERVER", "/x/y.sock")
    assert str(socket_path()) == "/x/y.sock"
    monkeypatch.delenv("AUDIOBEND_SERVER")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert str(socket_path()) == "/run/user/7/audiobend/server.sock"


def test_messages_come_whole_however_they_are_cut(line):
    ours, theirs = line
    sent = [Message("hello", ("1", "44100", "512"), "täxt\n" * 9), Message("state", (), ""), Message("x", ("y",), "\n")]
    data = b"".join(one.packed() for one in sent)

    def drip() -> None:
        for i in range(0, len(data), 3):
            theirs.sendall(data[i : i + 3])
        theirs.shutdown(socket.SHUT_WR)

    threading.Thread(target=drip, daemon=True).start()
    assert [ours.first(), *ours.others()] == sent


def test_who_has_hung_up_is_known_before_all_is_read(line):
    ours, theirs = line
    theirs.sendall(Message("state", (), "x").packed())
    assert not ours.is_over
    theirs.close()
    assert ours.is_over
    assert [one.body for one in ours.others()] == ["x"]


@pytest.mark.parametrize("begun", [b"", b"hello 1 44", b"hello 1 44100 512 10\nabc"])
def test_who_stalls_is_not_waited_for(line, begun, monkeypatch):
    monkeypatch.setattr(messages, "PATIENCE", 0.2)
    ours, theirs = line
    theirs.sendall(begun)
    with pytest.raises(ControlError, match="not whole within"):
        ours.first()


def test_who_does_not_read_is_cut_off(line):
    ours, theirs = line
    for _ in range(8):
        ours.send(Message("state", (), "x" * 2**19))
    theirs.setblocking(True)
    while theirs.recv(2**20):
        pass    # to the end: it was cut


def test_loads_that_are_measured_make_room_and_take_it():
    capacity = Capacity(n_cores=2)
    for number in range(3):
        capacity.take(number, 0.5)
    with pytest.raises(ControlError, match=r"3 instances take 1\.50 of 1\.60 cores, one more takes 0\.50"):
        capacity.take(3, 0.5)
    capacity.measured(0, 0.3)
    capacity.take(3, 0.3)
    capacity.measured(3, 0.6)
    with pytest.raises(ControlError, match="full"):
        capacity.take(4, 0.1)
    capacity.leave(1)
    capacity.take(4, 0.1)


def test_the_first_instance_always_has_room():
    capacity = Capacity(n_cores=1)
    capacity.take(1, 3.0)
    with pytest.raises(ControlError, match="1 instance takes"):
        capacity.take(2, 0.01)
