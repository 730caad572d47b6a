"""The page: a server, in a process of its own, and what it shows in the browser (``static/``)."""
