"""`schedule`: `reconcile` run by the machine itself, as a systemd timer or service, or from a crontab.

`job` says what is to run and what of the shell it needs; `units` and `crontab_line` write that down, purely;
`systemd` and `crontab` put it there and take it away; `command` is what a person types.
"""
