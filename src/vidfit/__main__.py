"""``python -m vidfit``: the command line."""

from vidfit.cli.main import main

if __name__ == "__main__":
    main()
