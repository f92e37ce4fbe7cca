"""`host`: the machines that tasks run on, for people. A command each in a module of its name."""
