"""Services that clients of ECS call too, as far as there is here what they ask for: a module each, named as botocore
names them, with a function per action. `actions.py` is the table."""
