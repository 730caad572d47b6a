"""Open Sound Control: one table of addresses, and a receive path that no packet can stop.

``addresses`` `match` ``parse`` ``decode`` ``encode`` ``feedback`` ``desk`` are pure; ``responder`` is told the time and
handed datagrams, and says which to send; ``server`` owns the socket and the thread, ``desk`` the lock around the state.
"""
