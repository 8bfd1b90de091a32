"""What is imported, and what is not."""

import subprocess
import sys

import pytest

from receivers import AllVendors
from servers import BACKEND


def run_python(code: str, environ: dict[str, str] | None = None) -> str:
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=BACKEND, env=environ, check=True, capture_output=True, text=True)
    return result.stdout


def test_services_know_no_flask() -> None:
    code = """if True:
        import importlib, pathlib, sys
        for path in pathlib.Path("services").glob("*.py"):
            importlib.import_module(f"services.{path.stem}")
        print({"flask", "werkzeug", "routes"} & sys.modules.keys())
    """
    assert run_python(code) == "set()\n"


# What each vendor brings along, and nobody else.
PACKAGES = {
    "honeycomb": {"opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.instrumentation"},
    "xray": {"aws_xray_sdk"},
    "cloudwatch": {"watchtower", "boto3"},
    "rollbar": {"rollbar"},
}
WHAT_IS_THERE = """if True:
    import os, sys, threading
    import app, settings
    made = app.create_app(settings.Settings.from_environ(os.environ))
    assert made.test_client().get("/api/activities/home").status_code == 200
    print(*sys.modules)
    print(*sorted(thread.name for thread in threading.enumerate()))
    print(type(made.wsgi_app).__name__)
"""


def what_is_there(environ: dict[str, str]) -> tuple[set[str], list[str], str]:
    """Answer the vendors whose packages are imported, the threads, and what is outermost of the app."""
    modules, threads, outermost = run_python(WHAT_IS_THERE, environ).splitlines()
    imported = set(modules.split())
    return (
        {vendor for vendor, packages in PACKAGES.items() if packages & imported},
        threads.split(),
        outermost,
    )


@pytest.mark.parametrize("vendor", PACKAGES)
def test_one_vendor_alone_brings_only_its_own_packages(everything: AllVendors, vendor: str) -> None:
    on = everything.by_name[vendor].environ
    assert what_is_there(on)[0] == {vendor}
    others = {name: "" for name in everything.environ if name not in on}
    vendors, threads, outermost = what_is_there({**others, **on})
    assert vendors == {vendor}
    assert len(threads) > 1 or vendor == "xray"
    assert outermost == "Edge"


@pytest.mark.parametrize("value", [None, "", "  "])
def test_all_off_costs_nothing(everything: AllVendors, value: str | None) -> None:
    environ = {} if value is None else dict.fromkeys(everything.environ, value)
    assert what_is_there(environ) == (set(), ["MainThread"], "method")
