"""keepalived as it runs on a director, here or over SSH: what it is, what it would say to a
file, and how a file is put in force so that it can be taken back.

`look` reads, `trial` has the installed program test a candidate, `transaction` gives the scripts
of a change. Everything goes through `lvstui.remote.Runner`; a host needs a POSIX shell.
"""
