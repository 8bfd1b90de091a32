"""What Compose calls its files, and what we call ours beside them."""

#: the names under which Compose looks for its file and for the one that overrides it, its own choice first
FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = (
    *("compose.override.yml", "compose.override.yaml"),
    *("docker-compose.override.yml", "docker-compose.override.yaml"),
)
#: the Compose file that is all ours
OWN = "docker-compose.yml"
#: what is laid over somebody's own Compose file
ADDED = "docker-compose.bootstrap.yml"
