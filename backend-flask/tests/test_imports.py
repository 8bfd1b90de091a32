"""What is imported, and what is not."""

import subprocess
import sys

from servers import BACKEND


def run_python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=BACKEND, check=True, capture_output=True, text=True).stdout


def test_services_know_no_flask() -> None:
    code = """if True:
        import importlib, pathlib, sys
        for path in pathlib.Path("services").glob("*.py"):
            importlib.import_module(f"services.{path.stem}")
        print({"flask", "werkzeug", "routes"} & sys.modules.keys())
    """
    assert run_python(code) == "set()\n"


def test_a_vendor_that_is_off_is_not_imported() -> None:
    code = """if True:
        import sys, app, settings
        app.create_app(settings.Settings.from_environ({}))
        vendors = {"opentelemetry.sdk", "requests", "aws_xray_sdk", "botocore", "rollbar", "watchtower"}
        print((vendors | {"flask_cors"}) & sys.modules.keys())
    """
    assert run_python(code) == "set()\n"
