"""The JSON Schema of a manifest, from the types that read it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from bootstrap.config.location import MANIFEST
from bootstrap.model.manifest import (
    FilesTable,
    MilestonesTable,
    ProjectTable,
    ProvisionTable,
    SecretName,
    SecretTable,
    ServiceName,
    ServiceTable,
    WorkspaceTable,
)


def schema(vendors: Mapping[str, type[Any]]) -> dict[str, Any]:
    """Make the JSON Schema (draft 2020-12) of a manifest."""
    telemetry = msgspec.defstruct(
        "TelemetryTable",
        [(name, options, msgspec.field(default_factory=options)) for name, options in vendors.items()],
        frozen=True,
        forbid_unknown_fields=True,
    )
    manifest = msgspec.defstruct(
        "Manifest",
        [
            ("project", ProjectTable),
            ("services", dict[ServiceName, ServiceTable], msgspec.field(default_factory=dict)),
            ("telemetry", telemetry, msgspec.field(default_factory=telemetry)),
            ("secrets", dict[SecretName, SecretTable], msgspec.field(default_factory=dict)),
            ("workspace", WorkspaceTable, msgspec.field(default_factory=WorkspaceTable)),
            ("milestones", MilestonesTable, msgspec.field(default_factory=MilestonesTable)),
            ("provision", ProvisionTable, msgspec.field(default_factory=ProvisionTable)),
            ("files", FilesTable, msgspec.field(default_factory=FilesTable)),
        ],
        frozen=True,
        forbid_unknown_fields=True,
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": MANIFEST,
        **msgspec.json.schema(manifest),
    }
