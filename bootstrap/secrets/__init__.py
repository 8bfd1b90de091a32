"""Where secrets are kept: one store a file, imported when it is opened.

A store's module has the name of the store, and its class is called `Store`.
"""

from importlib import import_module

from bootstrap.secrets.interface import Place, SecretStore

#: what --store offers
STORES = {
    "gitpod": "Gitpod's variables of this repository (gp env)",
    "gitpod-user": "your own variables in Gitpod, for all your repositories (gp env --scope user)",
    "codespaces": "your GitHub Codespaces secrets (gh), which cannot be read back",
    "ona": "your Ona secrets",
    "keyring": "the system's keyring",
    "file": "a file of mode 0600 outside the repository",
    "ssm": "AWS SSM Parameter Store",
    "dotenv": "the project's own .env, which is only read",
    "environment": "the variables of this process, which are only read",
}


def open_store(name: str, place: Place) -> SecretStore:
    """Open the store `name` of the table."""
    module = import_module(f"bootstrap.secrets.{name.replace('-', '_')}")
    store: SecretStore = module.Store(place)
    return store
