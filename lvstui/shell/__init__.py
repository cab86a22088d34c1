"""The command line: arguments, exit codes, tables, JSON. It never imports the console."""
