"""Real servers in Direct Routing: the VIP on the loopback, and no ARP answer for it.

`look` finds out what a host is and has, `plan` says what has to change, `push` changes it under a
timer on the host that takes everything back unless it is confirmed, `checks` judge what was seen.
One module in `stacks/` for each way in which a Linux brings its loopback up.
"""
