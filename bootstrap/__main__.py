"""`python -m bootstrap`, and the `bootstrap` command."""

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:2] == ["run"]:
        from bootstrap.cli.direct import run_directly  # noqa: PLC0415 - only `run` needs it

        run_directly(sys.argv[1:])
    from bootstrap.cli.root import root  # noqa: PLC0415 - imports the parser, which `run` can do without

    root(prog_name="bootstrap")


if __name__ == "__main__":
    main()
