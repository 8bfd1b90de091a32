"""`python -m bootstrap`, and the `bootstrap` command."""

from bootstrap.cli import root


def main() -> None:
    """Run the command line and exit with its code."""
    root(prog_name="bootstrap")


if __name__ == "__main__":
    main()
