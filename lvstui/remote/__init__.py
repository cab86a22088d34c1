"""Another host: run a script there, read and write whole files, become root.

`runner` is the interface that everything above uses, `connect.Connector` the way to it, `fleet` the
same work on many hosts. `ssh` (paramiko), `openssh` and `local` fill the interface on top of
`shell`, which needs no more than "run one command line". Nobody outside this folder imports
paramiko, and it is imported when the first connection is made.
"""
