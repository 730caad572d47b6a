"""Open Sound Control: one table of addresses, and a receive path that no packet can stop.

``rows`` and ``addresses`` are the table; ``parse``, ``match``, ``decode`` and ``encode`` are pure; ``responder`` is
handed datagrams and the time, and says which to send; ``desk`` keeps the state behind a lock; ``server`` has the socket
and the thread.
"""
