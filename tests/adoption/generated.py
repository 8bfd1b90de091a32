"""Compose files as Hypothesis writes them: every form that people use for what they mean."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

#: what the files may ask for, with values for whoever resolves them
VARIABLES = {
    "TAG": "1.2",
    "LEVEL": "debug",
    "API_TOKEN": "plainly-fake",
    "DB_PASSWORD": "made up $x",
    "HOST": "h",
}
NAMES = ("web", "api", "db", "worker", "Odd.Name", "telemetry-2")

_word = st.text(st.sampled_from("abcxyz019-_/.:= "), min_size=1, max_size=8).map(str.strip).filter(bool)
_literal = st.one_of(
    _word, st.sampled_from(["$$x", "a: b", "yes", "0", "1.50", "#x", "'", '"', "é", "{}", "a=b", "~"])
)
_asking = st.sampled_from(
    [
        "${TAG}",
        "$TAG",
        "${LEVEL:-info}",
        "${API_TOKEN}",
        "${DB_PASSWORD-}",
        "p://u:${DB_PASSWORD}@h",
        "$${TAG}",
    ]
)
_value = st.one_of(_literal, _literal, _asking)
_name = st.sampled_from(["A", "LOG_LEVEL", "API_TOKEN", "DB_PASSWORD", "SESSION_SECRET", "lower", "X_1"])
_scalar = st.one_of(_value, st.integers(0, 99), st.booleans(), st.just(1.5))


def _table(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    pairs = st.dictionaries(_name, values, min_size=1, max_size=3)
    return st.one_of(
        pairs, pairs.map(lambda table: [f"{k}={'' if v is None else v}" for k, v in table.items()])
    )


_port = st.integers(1024, 60000)
_ports = st.lists(
    st.one_of(
        _port.map(str),
        st.tuples(_port, _port).map(lambda p: f"{p[0]}:{p[1]}"),
        st.tuples(_port, _port).map(lambda p: f"127.0.0.1:{p[0]}:{p[1]}"),
        st.tuples(_port, _port).map(lambda p: f"{p[0]}:{p[1]}/udp"),
        _port.map(lambda p: f"{p}-{p + 1}:{p}-{p + 1}"),
        _port.map(lambda p: f"${{PORT:-{p}}}:80"),
        st.tuples(_port, _port).map(
            lambda p: {"target": p[0], "published": str(p[1]), "host_ip": "127.0.0.1"}
        ),
        st.tuples(_port, _port).map(lambda p: {"target": p[0], "published": p[1]}),
    ),
    min_size=1,
    max_size=3,
)
_volumes = st.lists(
    st.one_of(
        st.sampled_from(["data:/data", "./here:/there", "./here:/read:ro", "/only", "more:/more:rw"]),
        st.just({"type": "bind", "source": "./here", "target": "/bound", "read_only": True}),
        st.just({"type": "volume", "source": "data", "target": "/v", "volume": {"nocopy": True}}),
        st.just({"type": "tmpfs", "target": "/t"}),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda item: (
        item["target"] if isinstance(item, dict) else item.split(":")[-1 if ":" not in item else 1]
    ),
)
_command = st.one_of(
    st.sampled_from(["run --fast", "sh -c 'echo \"$$HOME\"'", "serve ${LEVEL:-info}"]),
    st.lists(_literal, min_size=1, max_size=3),
)
_health = st.one_of(
    st.just({"test": "curl -f http://localhost:80/ready", "interval": "5s"}),
    st.just({"test": ["CMD", "true"], "retries": 3, "start_period": "1m"}),
    st.just({"disable": True}),
)
_optional: dict[str, st.SearchStrategy[Any]] = {
    "environment": _table(_scalar) | st.dictionaries(_name, st.none(), min_size=1, max_size=2),
    "labels": _table(_value),
    "ports": _ports,
    "volumes": _volumes,
    "command": _command,
    "entrypoint": _command,
    "healthcheck": _health,
    "restart": st.sampled_from(["always", "no", "unless-stopped"]),
    "networks": st.sampled_from([["back"], {"back": None, "default": {"aliases": ["x"]}}, ["default"]]),
    "profiles": st.just(["tools"]),
    "user": st.sampled_from(["root", "1000:1000"]),
    "cap_add": st.just(["NET_ADMIN"]),
    "tmpfs": st.sampled_from(["/run", ["/run", "/tmp"]]),
    "working_dir": st.just("/srv"),
    "stop_grace_period": st.just("1m30s"),
    "init": st.booleans(),
    "expose": st.just([9000, "9001"]),
    "extra_hosts": st.just(["a:127.0.0.1"]),
    "logging": st.just({"driver": "json-file", "options": {"max-size": "5m"}}),
    "ulimits": st.just({"nofile": {"soft": 10, "hard": 20}, "nproc": 5}),
    "deploy": st.just({"resources": {"limits": {"memory": "64M"}}}),
    "secrets": st.sampled_from([["signing"], [{"source": "signing", "target": "/s"}]]),
    "env_file": st.sampled_from(["./some.env", [{"path": "some.env", "required": False}]]),
    "x-own": st.just({"anything": 1}),
}
_build = st.one_of(
    st.sampled_from(["./here", "here", "."]),
    st.just({"context": "./here", "dockerfile": "Other", "target": "t"}),
    st.just({"context": "here", "args": {"LEVEL": None, "B": 1}}),
    st.just({"context": "here", "args": ["A=${TAG}"]}),
    st.just({"context": "here", "args": ["API_TOKEN"]}),
)


@st.composite
def _services(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True))
    made: dict[str, Any] = {}
    for name in names:
        kinds = draw(st.lists(st.sampled_from(sorted(_optional)), max_size=6, unique=True))
        service: dict[str, Any] = {kind: draw(_optional[kind]) for kind in kinds}
        if draw(st.booleans()):
            service["image"] = draw(
                st.sampled_from(["redis:7", "postgres:${TAG:-16}", "x/y@sha256:" + "0" * 64])
            )
        else:
            service["build"] = draw(_build)
        others = [other for other in made if "profiles" not in made[other]]
        if draw(st.booleans()) and others:
            plain = {other: {"condition": "service_started"} for other in others}
            long = {others[0]: {"condition": "service_started", "restart": True}}
            service["depends_on"] = draw(st.sampled_from([others, plain, long]))
        made[name] = service
    return made


#: a whole file, and one that is laid over it
documents = st.fixed_dictionaries(
    {
        "services": _services(),
        "networks": st.sampled_from([{"back": None}, {"back": {"internal": True}}]),
        "volumes": st.sampled_from(
            [{"data": None, "more": None}, {"data": {"labels": {"a": "b"}}, "more": None}]
        ),
        "secrets": st.just({"signing": {"environment": "API_TOKEN"}}),
    }
)
overrides = st.dictionaries(
    st.sampled_from(sorted(set(_optional) - {"x-own", "networks", "profiles"})), st.none(), max_size=3
).flatmap(lambda keys: st.fixed_dictionaries({key: _optional[key] for key in keys}))
