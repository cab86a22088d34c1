"""Another host: run a script there, read and write whole files, become root.

`runner` is the interface that everything above uses; `local` and `ssh` fill it. Nobody outside
this folder imports paramiko, and it is imported when the first connection is made.
"""
