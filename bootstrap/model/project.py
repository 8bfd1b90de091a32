"""A project as every layer sees it: the manifest's tables, checked against each other and completed."""

from typing import Any

from msgspec import Struct, field

from bootstrap.model.manifest import FilesTable, MilestonesTable, ProvisionTable, WorkspaceTable


class SecretSpec(Struct, frozen=True):
    """A secret that the project uses: everything about it except its value."""

    name: str
    description: str = ""
    documentation: str | None = None
    pattern: str | None = None
    required: bool = False
    #: who needs it: "service", "verify" or "provision"; only "service" secrets ever enter a service
    audience: str = "service"


class Service(Struct, frozen=True):
    """One service. Exactly one of `build` and `image` is set."""

    name: str
    otel_service_name: str
    build: str | None = None
    image: str | None = None
    setup: str | None = None
    command: str | None = None
    #: where this machine reaches it; `container_port` is where it listens inside its container
    port: int | None = None
    container_port: int | None = None
    public: bool = False
    health: str | None = None
    telemetry: tuple[str, ...] = ()
    #: absolute paths that are asked for to see whether telemetry arrives
    probe: tuple[str, ...] = ("/",)
    environment: dict[str, str] = field(default_factory=dict)
    #: variable in the service -> name of the stored secret
    secrets: dict[str, str] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    compose: dict[str, Any] = field(default_factory=dict)


class Project(Struct, frozen=True):
    """Everything that the manifest says."""

    name: str
    region: str
    services: dict[str, Service]
    #: each vendor's options, defaults filled in, by the vendor's name
    telemetry: dict[str, Any] = field(default_factory=dict)
    #: the project's own secrets; those of its vendors come with the vendors
    secrets: dict[str, SecretSpec] = field(default_factory=dict)
    workspace: WorkspaceTable = field(default_factory=WorkspaceTable)
    milestones: MilestonesTable = field(default_factory=MilestonesTable)
    provision: ProvisionTable = field(default_factory=ProvisionTable)
    files: FilesTable = field(default_factory=FilesTable)

    def reporting_to(self, vendor: str) -> list[Service]:
        """The services that report to `vendor`, in the manifest's order."""
        return [service for service in self.services.values() if vendor in service.telemetry]
