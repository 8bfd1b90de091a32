"""The tables of `bootstrap.toml` as they are written; the JSON Schema is made from these types."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

ServiceName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$(?!\n)")]
SecretName = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9_]*$(?!\n)")]
VariableName = Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$(?!\n)")]
Port = Annotated[int, Meta(ge=1, le=65535)]
#: this checkout, or git over https at a full commit: no branch that moves, no name that others may take
INSTALL = r"^(\.|git\+https://[A-Za-z0-9._~/-]+@[0-9a-f]{40})$(?!\n)"
Url = Annotated[str, Meta(pattern=r"^https?://\S+$(?!\n)")]


class ProjectTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[project]`: what the project is called and where its AWS resources live."""

    name: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$(?!\n)",
            description="A label. It never decides which secrets are yours.",
        ),
    ]
    region: Annotated[
        str,
        Meta(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$(?!\n)", description="The AWS region, for example us-east-1."),
    ] = "us-east-1"


class ServiceTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[services.NAME]`: one service, and the telemetry vendors that it reports to."""

    build: (
        Annotated[str, Meta(description="The folder with its Dockerfile, from the project's root.")] | None
    ) = None
    image: Annotated[str, Meta(description="A container image, instead of `build`.")] | None = None
    setup: (
        Annotated[
            str,
            Meta(description="Process engine: run before the command, again when its inputs change."),
        ]
        | None
    ) = None
    command: (
        Annotated[
            str,
            Meta(description="Process engine: a shell command line. Compose uses the image's own command."),
        ]
        | None
    ) = None
    port: Annotated[Port, Meta(description="The TCP port that it listens on.")] | None = None
    container_port: (
        Annotated[Port, Meta(description="Where it listens in its container, if not on `port` there, too.")]
        | None
    ) = None
    public: Annotated[
        bool, Meta(description="A browser or a stranger may reach it; the default is private.")
    ] = False
    health: (
        Annotated[
            str, Meta(pattern=r"^/\S*$(?!\n)", description="A path that answers 2xx or 3xx once it is ready.")
        ]
        | None
    ) = None
    telemetry: Annotated[tuple[str, ...], Meta(description="The vendors that it reports to.")] = ()
    probe: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^/[!-~]*$(?!\n)")], ...],
        Meta(description="What `bootstrap verify` asks for: paths that leave something with each vendor."),
    ] = ("/",)
    environment: Annotated[
        dict[VariableName, str],
        Meta(description="Variables; ${url:SERVICE}, ${address:SERVICE} and ${port:SERVICE} are filled in."),
    ] = field(default_factory=dict)
    secrets: Annotated[
        tuple[SecretName, ...] | dict[VariableName, SecretName],
        Meta(description="The secrets that it may see: names, or a table of variable = stored name."),
    ] = ()
    depends_on: Annotated[tuple[str, ...], Meta(description="Services that start before it.")] = ()
    otel_service_name: (
        Annotated[
            str,
            Meta(
                pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)",
                description="What vendors call it; the default is the service's key.",
            ),
        ]
        | None
    ) = None
    compose: Annotated[
        dict[str, Any],
        Meta(description="Merged as it stands into the Compose service: volumes, user, command ..."),
    ] = field(default_factory=dict)


class LocalServiceTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[services.NAME]` in `bootstrap.local.toml`: what one machine may do differently."""

    port: Port | None = None
    environment: dict[VariableName, str] = field(default_factory=dict)


class SecretTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[secrets.NAME]`: a secret of the project's own; vendors bring theirs."""

    description: Annotated[str, Meta(description="What it opens.")] = ""
    documentation: Annotated[Url, Meta(description="Where to get one.")] | None = None
    pattern: Annotated[str, Meta(description="A regular expression that every value matches.")] | None = None
    required: Annotated[bool, Meta(description="Its services cannot start without it.")] = False


class WorkspaceTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[workspace]`: what the generated workspace files contain beyond the services."""

    install: (
        Annotated[
            str,
            Meta(
                description='Where the workspace installs this tool from: "." is this checkout, '
                '"git+https://HOST/OWNER/REPOSITORY@FULL-COMMIT" another one.',
                pattern=INSTALL,
            ),
        ]
        | None
    ) = None
    image: Annotated[str, Meta(description="The devcontainer's image.")] = (
        "mcr.microsoft.com/devcontainers/python:3.13-bookworm"
    )
    extensions: Annotated[tuple[str, ...], Meta(description="Editor extensions, by id.")] = ()
    gitpod: Annotated[dict[str, Any], Meta(description="Merged into .gitpod.yml as it stands.")] = field(
        default_factory=dict
    )
    devcontainer: Annotated[
        dict[str, Any], Meta(description="Merged into devcontainer.json as it stands.")
    ] = field(default_factory=dict)


class MilestonesTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[milestones]`: how the weekly tags are named."""

    prefix: Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]*$(?!\n)")] = "week"


class ProvisionTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[provision]`: for whom AWS resources are made."""

    account: (
        Annotated[
            str,
            Meta(
                pattern=r"^[0-9]{12}$(?!\n)",
                description="The only AWS account in which `bootstrap provision` makes anything.",
            ),
        ]
        | None
    ) = None
    principal: (
        Annotated[
            str,
            Meta(
                pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:(user|role)/[A-Za-z0-9+=,.@_/-]{1,576}$(?!\n)",
                description="The IAM user or role that may assume the project's roles; else there are none.",
            ),
        ]
        | None
    ) = None


ProjectPath = Annotated[str, Meta(pattern=r"^[^/\\$:\x00-\x1f][^\\$:\x00-\x1f]*$(?!\n)")]
#: ours; theirs with what we add beside it, or what we say is missing in it; theirs alone
Owner = Literal["own", "overlay", "theirs"]


class FilesTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[files]`: who owns which generated file."""

    templates: (
        Annotated[str, Meta(description="A folder whose templates replace built-in ones by their names.")]
        | None
    ) = None
    compose: Annotated[
        Owner,
        Meta(description="Whose the Compose file is; overlay adds docker-compose.bootstrap.yml to yours."),
    ] = "own"
    compose_files: Annotated[
        tuple[ProjectPath, ...],
        Meta(description="Your Compose files, in order, where Compose would not find them by their names."),
    ] = ()
    gitpod: Annotated[
        Owner, Meta(description="Whose .gitpod.yml is; with overlay doctor says what is missing in yours.")
    ] = "own"
    devcontainer: Annotated[Owner, Meta(description="Whose devcontainer.json is, likewise.")] = "own"
    theirs: Annotated[
        tuple[ProjectPath, ...], Meta(description="Other generated files that are yours: never written.")
    ] = ()

    @property
    def adopted(self) -> bool:
        """Whether the repository had files of its own before it had a manifest."""
        return bool(self.theirs) or any(
            each != "own" for each in (self.compose, self.gitpod, self.devcontainer)
        )
