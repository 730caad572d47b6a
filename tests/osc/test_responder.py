"""Bundles, questions, subscriptions and answers, without a socket and without waiting."""

import pytest

from audiobend.control import Context, ModelFailed
from audiobend.osc.encode import encode
from audiobend.osc.responder import MAX_OUT_EACH
from audiobend.osc.services import PAGE
from audiobend.osc.subscribers import EXPIRES_AFTER, MAX_SUBSCRIBERS
from tests.osc.conftest import ELSEWHERE, HERE, make_context
from tests.osc.test_parse import at, bundle

WALL = 1.7e9


def radius(n):
    return encode("/audiobend/bend/fog/radius", [n])


def heard_changes(desk):
    """Collect every state that whoever plays the sound would hear of."""
    seen = []
    desk._on_change = lambda before, after: seen.append(after)
    return seen


def test_a_bundle_is_carried_out_at_one_seam(talk, desk):
    seen = heard_changes(desk)
    talk.packet(bundle(radius(5), encode("/audiobend/mix", [0.5]), encode("/audiobend/layer/2/all/invert", [1])))
    (after,) = seen
    assert (after.patch.bend("fog").params["radius"], after.mix) == (5, 0.5)
    assert after.patch.bend("layer2.all.invert").on


def test_one_bad_message_does_not_lose_the_others_of_its_bundle(talk, desk):
    told = talk.packet(bundle(radius(99), encode("/audiobend/mix", [0.5]), encode("/audiobend/nix")))
    assert desk.state.mix == 0.5
    assert [args[1] for address, args in told if address == "/audiobend/fail"] == [400, 404]


def test_questions_in_a_bundle_are_answered_from_the_state_after_it(talk):
    told = talk.packet(bundle(encode("/audiobend/mix"), encode("/audiobend/mix", [0.25])))
    assert told == [("/audiobend/mix", (0.25,))]


def test_a_bundle_may_load_a_scene_and_play_its_bends(talk, desk):
    talk("/audiobend/scene/save", "plain")
    talk("/audiobend/layer/1/all/ablate", 1)
    desk.apply([])
    talk("/audiobend/scene/save", "dark")
    talk("/audiobend/scene/load", "plain")
    load = encode("/audiobend/scene/load", ["dark"])
    told = talk.packet(bundle(load, encode("/audiobend/bend/layer1.all.ablate/mix", [0.5])))
    assert told == [("/audiobend/done", ("/audiobend/scene/load",))]
    assert desk.state.patch.bend("layer1.all.ablate").mix == 0.5


def test_values_that_arrive_together_take_effect_as_the_last_one(talk, desk):
    seen = heard_changes(desk)
    for n in range(30):
        talk.responder.receive(radius(n % 32), HERE, 0.0, WALL)
        talk.responder.receive(encode("/audiobend/mix", [n / 30]), HERE, 0.0, WALL)
    assert seen == []
    talk.responder.turn(0.0)
    assert [state.patch.bend("fog").params["radius"] for state in seen] == [29]
    assert seen[0].mix == pytest.approx(29 / 30) and talk.responder.pending.coalesced == 58


def test_no_value_moves_across_a_scene_change(talk, desk):
    talk("/audiobend/bend/fog/radius", 3)
    talk("/audiobend/scene/save", "three")
    for one in (radius(9), encode("/audiobend/scene/load", ["three"])):
        talk.responder.receive(one, HERE, 0.0, WALL)
    talk.responder.turn(0.0)
    assert desk.state.patch.bend("fog").params["radius"] == 3


def test_what_is_due_later_waits_and_what_is_past_is_done_now(talk, desk):
    talk.responder.receive(bundle(radius(8), tag=at(WALL + 2)), HERE, 100.0, WALL)
    talk.responder.turn(101.9)
    assert desk.state.patch.bend("fog").params["radius"] == 2
    talk.responder.turn(102.1)
    assert desk.state.patch.bend("fog").params["radius"] == 8
    talk.responder.receive(bundle(radius(4), tag=at(WALL - 1000)), HERE, 103.0, WALL)
    talk.responder.turn(103.0)
    assert desk.state.patch.bend("fog").params["radius"] == 4


def test_time_tags_too_far_ahead_and_too_many_are_told(talk, desk):
    ((address, args),) = talk.packet(bundle(radius(8), tag=b"\xff" * 8), wall=WALL)
    assert (address, args[1]) == ("/audiobend/fail", 409) and "60 seconds ahead" in args[2]
    for _ in range(talk.responder.schedule.capacity + 5):
        talk.responder.receive(bundle(radius(8), tag=at(WALL + 5)), HERE, 0.0, WALL)
    assert len(talk.responder.schedule) == talk.responder.schedule.capacity
    assert len(talk.heard(HERE)) == 5


def test_panic_drops_what_waits(talk, desk):
    talk.responder.receive(bundle(radius(8), tag=at(WALL + 2)), HERE, 0.0, WALL)
    talk.responder.receive(encode("/audiobend/panic"), HERE, 0.0, WALL)
    talk.responder.turn(100.0)
    assert desk.state.bypass and desk.state.patch.bend("fog").params["radius"] == 2


def test_a_button_that_is_let_go_is_no_panic(talk, desk):
    talk("/audiobend/panic", 0)
    assert not desk.state.bypass
    assert talk("/audiobend/panic", 1) == [("/audiobend/done", ("/audiobend/panic",))]


def test_sync_is_answered_after_all_that_came_before(talk, desk):
    told = talk.packet(bundle(encode("/audiobend/scene/save", ["a"]), encode("/audiobend/sync", [7])))
    assert told == [("/audiobend/done", ("/audiobend/scene/save",)), ("/audiobend/synced", (7,))]


def test_a_ping_is_answered_before_what_waits_is_carried_out(talk, desk):
    talk.responder.receive(encode("/audiobend/mix", [0.25]), HERE, 1000.0, WALL)
    talk.responder.receive(encode("/audiobend/ping", [7]), HERE, 1000.0, WALL)
    assert talk.heard(HERE) == [("/audiobend/pong", (7,))]
    assert desk.state.mix == 1.0
    talk.responder.receive(encode("/audiobend/sync", [8]), HERE, 1000.0, WALL)
    assert talk.heard(HERE) == [("/audiobend/synced", (8,))]
    assert desk.state.mix == 0.25


def test_subscribers_hear_what_others_change_but_no_echo(talk):
    assert talk("/audiobend/notify", 1) == [("/audiobend/done", ("/audiobend/notify", 1, MAX_SUBSCRIBERS))]
    talk("/audiobend/notify", 1, sender=ELSEWHERE)
    counted = ("/audiobend/undo/count", (1,))    # which the client did not set
    assert talk("/audiobend/bend/fog/radius", 16) == [counted]
    assert talk.others == [
        (ELSEWHERE, "/audiobend/bend/fog/radius", (16,)),
        (ELSEWHERE, "/audiobend/bend/fog/radius/norm", (0.5,)),
        (ELSEWHERE, *counted),
    ]


def test_subscribers_hear_how_many_steps_there_are_back_and_forth(talk):
    talk("/audiobend/mix", 0.5)
    talk("/audiobend/notify", 1, sender=ELSEWHERE)
    talk("/audiobend/undo")
    told = [(address, args) for _, address, args in talk.others]
    assert {("/audiobend/undo/count", (0,)), ("/audiobend/redo/count", (1,))} <= set(told)


def test_bends_by_place_are_told_by_their_place(talk):
    talk("/audiobend/notify", 1, sender=ELSEWHERE)
    talk("/audiobend/layer/2/cluster/1/invert", 1)
    told = [(address, args) for _, address, args in talk.others]
    assert ("/audiobend/layer/2/cluster/1/invert", (1,)) in told
    others = {address for address, _ in told if not address.startswith("/audiobend/layer/2/cluster/1/invert")}
    assert others == {"/audiobend/chain/order", "/audiobend/undo/count"}


def test_subscribers_hear_all_that_a_scene_changes_and_takes_away(talk):
    talk("/audiobend/scene/save", "before")
    talk("/audiobend/notify", 1)
    talk("/audiobend/layer/2/all/invert", 1)
    talk("/audiobend/gain", -6.0)
    told = talk("/audiobend/scene/load", "before")
    assert ("/audiobend/gain", (0.0,)) in told
    assert ("/audiobend/layer/2/all/invert", (0,)) in told


def test_changes_are_told_thirty_times_a_second_at_most(talk):
    talk("/audiobend/notify", 1, sender=ELSEWHERE)
    start = 1100.0
    times = []
    for step in range(1000):
        now = start + step / 1000
        talk.responder.receive(encode("/audiobend/mix", [(step % 999) / 1000]), HERE, now, WALL)
        talk.responder.turn(now)
        times += [now for datagram, to in talk.responder.take() if to == ELSEWHERE]
    assert 25 <= len(times) <= 31


def test_a_port_may_be_named_for_changes(talk):
    talk("/audiobend/notify", 1, 9002, sender=ELSEWHERE)
    talk("/audiobend/mix", 0.5)
    assert ((ELSEWHERE[0], 9002), "/audiobend/mix", (0.5,)) in talk.others
    assert {to for to, _, _ in talk.others} == {(ELSEWHERE[0], 9002)}
    ((address, args),) = talk("/audiobend/notify", 1, 70000)
    assert (address, args[1]) == ("/audiobend/fail", 400)


def test_who_unsubscribes_hears_no_more(talk):
    talk("/audiobend/notify", 1)
    assert talk("/audiobend/notify") == [("/audiobend/notify", (1,))]
    talk("/audiobend/notify", 0)
    talk("/audiobend/mix", 0.5, sender=ELSEWHERE)
    assert talk.others == []


def test_subscribers_are_bounded_and_the_silent_ones_forgotten(talk):
    now = 1e6
    for port in range(10_000):
        talk.responder.receive(encode("/audiobend/notify", [1]), ("127.0.0.1", port), now, WALL)
    assert len(talk.responder.news.subscribers.clients) == MAX_SUBSCRIBERS
    talk.responder.turn(now + EXPIRES_AFTER + 1)
    assert talk.responder.news.subscribers.clients == {}


def test_failures_are_told_sparingly(talk):
    for _ in range(5000):
        talk.responder.receive(encode("/audiobend/nix"), HERE, 1.0, WALL)
    assert len(talk.responder.take()) <= 500 and talk.responder.counters.failed == 5000


def test_answers_that_wait_are_bounded(talk):
    for _ in range(6000):
        talk.responder.receive(encode("/audiobend/ping", [1]), HERE, 1.0, WALL)
    talk.responder.receive(encode("/audiobend/ping", [2]), ("127.0.0.1", 50001), 1.0, WALL)
    assert len(talk.responder.take()) == MAX_OUT_EACH + 1    # others are answered all the same
    assert talk.responder.counters.unsent == 6000 - MAX_OUT_EACH


def test_a_dump_tells_every_address_in_use_by_pages(talk):
    for n in range(20):
        talk(f"/audiobend/layer/1/all/{['erode', 'dilate'][n % 2]}/mix", n / 20)
        talk(f"/audiobend/layer/{1 + n % 3}/cluster/{n % 2}/mask/x", n / 20)
    found, page, pages = {}, 0, 1
    while page < pages:
        *told, (end, (number, pages)) = talk("/audiobend/dump", page)
        assert end == "/audiobend/dump.end" and number == page and len(told) <= PAGE
        found |= dict(told)
        page += 1
    assert pages > 1 and talk("/audiobend/dump", pages)[0][0] == "/audiobend/fail"
    for address, args in found.items():
        assert talk(address) == [(address, args)], address


@pytest.mark.parametrize(
    "path, args, first",
    [
        ("list/layers", (), ("1", 8, 16, 33, 2)),
        ("list/clusters", ("1",), ("1", 0, "cluster 0")),
        ("list/clusters", (1,), ("1", 0, "cluster 0")),
        ("list/params", ("erode",), ("radius", 0.0, 32.0, 1.0, "cells", 1)),
        ("list/bends", (), ("fog", "3", "erode", "all", 1)),
        ("list/models", (), ("tiny",)),
    ],
)
def test_lists_tell_what_there_is_one_message_each(talk, path, args, first):
    told = talk(f"/audiobend/{path}", *args)
    count = len(told) - 1
    assert told[0] == (f"/audiobend/{path}", (0, count, *first))
    assert told[-1] == ("/audiobend/done", (f"/audiobend/{path}", count))


def test_lists_of_what_is_not_there_are_refused(talk):
    for path, name in (("list/clusters", "9"), ("list/clusters", ""), ("list/params", "erodd")):
        ((address, args),) = talk(f"/audiobend/{path}", name)
        assert (address, args[1]) == ("/audiobend/fail", 400), args


def test_hello_and_status_and_ping(talk, desk):
    desk._status = lambda: {"load": 0.25, "latency_ms": 120.5, "xruns": 1, "late": 2, "dropped": 3}
    ((address, (name, _, protocol, model, *ports)),) = talk("/audiobend/hello")
    assert (address, name, protocol, model, ports) == ("/audiobend/hello.reply", "audiobend", 1, "tiny", [9001, 0, 0])
    assert talk("/audiobend/status") == [("/audiobend/status.reply", (0.25, 120.5, 1, 2, 3, 2, 0))]
    assert talk("/audiobend/ping", 5, "x") == [("/audiobend/pong", (5, "x"))]


def test_another_model_is_told_when_it_sounds(talk, desk):
    assert talk("/audiobend/model/load", "other") == []
    desk.change_model(make_context(n_layers=5, model="other"))
    assert talk.turn() == [("/audiobend/done", ("/audiobend/model/load", "other"))]
    assert talk("/audiobend/model/load") == [("/audiobend/model/load", ("other",))]
    talk("/audiobend/layer/5/all/erode", 1)
    assert talk.value("/audiobend/layer/5/all/erode") == 1


def test_another_model_that_fails_is_told_with_the_reason(talk, desk):
    talk("/audiobend/model/load", "other")
    desk.apply([ModelFailed("other", "the disk is full")])
    assert talk.turn() == [("/audiobend/fail", ("/audiobend/model/load", 409, "the disk is full"))]


def test_scenes_are_meant_by_name_never_by_path(talk, desk):
    for name in ("../../etc/passwd", "/etc/passwd", "a\\b", ".hidden", "", "a\nb"):
        ((address, args),) = talk("/audiobend/scene/save", name)
        assert address == "/audiobend/fail" and "name must be" in args[2]
    assert desk.state.scenes == {}


def test_a_scene_that_is_called_by_a_number_can_be_meant_by_one(talk, desk):
    talk("/audiobend/scene/save", 1)
    assert talk("/audiobend/scene/load", 1) == [("/audiobend/done", ("/audiobend/scene/load",))]


def test_every_answer_is_i_f_or_s(talk, desk):
    """Pure Data drops the rest of a message at any other type."""
    from audiobend.osc.addresses import Table

    seen = set()
    for leaf in Table(desk.context).leaves(desk.state.patch):
        talk.responder.receive(encode(leaf.address), HERE, 0.0, WALL)
        talk.responder.turn(0.0)
        for datagram, _ in talk.responder.take():
            comma = datagram.index(b",")
            seen |= set(datagram[comma + 1 : datagram.index(b"\0", comma)].decode())
    assert seen == set("ifs")


def test_without_a_model_there_is_still_an_answer():
    from audiobend.bending import Patch
    from audiobend.control import State
    from audiobend.osc.desk import Desk
    from tests.osc.conftest import Talk

    talk = Talk(Desk(State(Patch()), Context(())))
    assert talk("/audiobend/ping", 1) == [("/audiobend/pong", (1,))]
    assert talk("/audiobend/layer/1/all/erode", 1)[0][0] == "/audiobend/fail"
