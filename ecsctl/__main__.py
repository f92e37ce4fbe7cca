"""`python -m ecsctl` is the command `ecsctl`."""

from ecsctl.cli.main import main

if __name__ == "__main__":
    main()
