"""`python -m bootstrap`, and the `bootstrap` command."""

import gc
import sys
from importlib import import_module


def main() -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(50_000)  # importing allocates a lot and leaves no garbage: do not look for it so often
    if sys.argv[1:2] == ["run"]:
        _import_msgspec_alone()
        from bootstrap.cli.direct import run_directly  # noqa: PLC0415 - only `run` needs it

        run_directly(sys.argv[1:])
    from bootstrap.cli.root import root  # noqa: PLC0415 - imports the parser, which `run` can do without

    try:
        root(prog_name="bootstrap")
    finally:
        gc.freeze()  # the system takes all memory back: the interpreter need not look for garbage at its end


def _import_msgspec_alone() -> None:
    """Import msgspec without typing_extensions, which it asks for what `typing` has had since Python 3.11.

    Importing that as well would take a fifth of all the time that `bootstrap run` takes.
    """
    name = "typing_extensions"
    if name not in sys.modules:
        sys.modules[name] = None  # type: ignore[assignment]  # the import system's way to say that there is none
        try:
            import_module("msgspec")
        finally:
            del sys.modules[name]


if __name__ == "__main__":
    main()
