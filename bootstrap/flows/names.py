"""Looks for names that X-Ray would not find: in services' source, and in files of rules and groups."""

import json
from collections.abc import Iterator

from bootstrap.flows.environment import resolve
from bootstrap.model.environment import Cloud, Text
from bootstrap.model.errors import BootstrapError
from bootstrap.model.project import Project, Service
from bootstrap.model.remark import Mark, Remark
from bootstrap.system.files import ProjectFiles
from bootstrap.system.sources import Bounds
from bootstrap.vendors import VENDORS

_SUBJECT = "names"
#: folders with other people's source, or with what runs in no service
_SKIPPED = frozenset(
    {"__pycache__", "build", "dist", "node_modules", "site-packages", "test", "tests", "venv", "virtualenv"}
)
_DOCUMENTS = "aws"
_FEW = Bounds(size=64 * 1024, files=100, folders=50)


def examine(files: ProjectFiles, project: Project) -> Iterator[Remark]:
    """Compare every name with the service's own. Runs none of the project's code; never raises."""
    services = project.reporting_to("xray")
    if not services:
        return
    try:
        found = [remark for service in services for remark in _of_source(files, project, service)]
        found += _of_files(files, project)
    except BootstrapError as error:
        yield Remark(_SUBJECT, Mark.PROBLEM, error.message, error.hint)
        return
    yield from found
    if not any(remark.mark is Mark.PROBLEM for remark in found):
        names = ", ".join(service.otel_service_name for service in services)
        yield Remark(_SUBJECT, Mark.OK, f"X-Ray's sampling rules and group look for {names}")


def _of_source(files: ProjectFiles, project: Project, service: Service) -> Iterator[Remark]:
    from bootstrap.vendors.naming import dockerfile, recorder, source  # noqa: PLC0415 - parses Python, and few commands do

    if service.build is None:
        return
    image = dockerfile.environment(
        (files.read(f"{service.build}/Dockerfile") or b"").decode(errors="replace")
    )
    found = source.read(files.texts(service.build, ".py", skip=_SKIPPED))
    yield from recorder.of_source(service, found, image | _variables(project, service))


def _variables(project: Project, service: Service) -> dict[str, str]:
    """Every variable whose value anybody may see, as a container is given them."""
    routing = {name: Cloud() for name in VENDORS}
    found = resolve(project, service, view="container", routing=routing, url="http://localhost:{}".format)
    return {variable.name: variable.value.text for variable in found if isinstance(variable.value, Text)}


def _of_files(files: ProjectFiles, project: Project) -> Iterator[Remark]:
    from bootstrap.vendors.naming import sought  # noqa: PLC0415 - as above

    documents = {}
    for path, data in files.texts(_DOCUMENTS, ".json", bounds=_FEW).items():
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            continue
        if isinstance(document, dict):
            documents[path] = document
    yield from sought.of_files(project, documents)
