"""Where a browser opens what the collector shows."""

from bootstrap.workspaces.interface import Workspace


def page_at(workspace: Workspace, port: int, token: str) -> str:
    """The page of a collector at `port` of this machine; the first request turns the token into a cookie."""
    return f"{workspace.url(port)}/?token={token}"
