"""Repositories as people have them: path -> text. None of them knows of this tool.

The journal's week 2 is retold with its flaws: the daemon is published and its flags are one word that nobody
reads, URLs name one cloud, a log handler asks AWS at import, nothing is pinned. One thing keeps it from
starting with today's packages: `before_first_request`, which Flask 2.3 has removed.
"""

from __future__ import annotations

JOURNAL = {
    "README.md": "# Cruddur\n",
    ".gitignore": "node_modules/\n*.pyc\n.env\ndocker/\n",
    ".gitpod.yml": """\
tasks:
  - name: aws-cli
    env:
      AWS_CLI_AUTO_PROMPT: on-partial
    before: |
      cd /workspace && curl -fsSL https://example.com/awscli.zip -o awscli.zip
  - name: npm-init
    init: cd frontend-react-js && npm i
vscode:
  extensions:
    - 42Crunch.vscode-openapi
ports:
  - name: frontend
    port: 3000
    onOpen: open-browser
    visibility: public
  - name: backend
    port: 4567
    visibility: public
  - name: xray-daemon
    port: 2000
    visibility: public
""",
    "docker-compose.yml": """\
version: "3.8"
services:
  backend-flask:
    environment:
      FRONTEND_URL: "https://3000-${GITPOD_WORKSPACE_ID}.${GITPOD_WORKSPACE_CLUSTER_HOST}"
      BACKEND_URL: "https://4567-${GITPOD_WORKSPACE_ID}.${GITPOD_WORKSPACE_CLUSTER_HOST}"
      OTEL_EXPORTER_OTLP_ENDPOINT: "https://api.honeycomb.io"
      OTEL_EXPORTER_OTLP_HEADERS: "x-honeycomb-team=${HONEYCOMB_API_KEY}"
      OTEL_SERVICE_NAME: "backend-flask"
      AWS_XRAY_URL: "*4567-${GITPOD_WORKSPACE_ID}.${GITPOD_WORKSPACE_CLUSTER_HOST}*"
      AWS_XRAY_DAEMON_ADDRESS: "xray-daemon:2000"
      AWS_DEFAULT_REGION: "${AWS_DEFAULT_REGION}"
      AWS_ACCESS_KEY_ID: "${AWS_ACCESS_KEY_ID}"
      AWS_SECRET_ACCESS_KEY: "${AWS_SECRET_ACCESS_KEY}"
      ROLLBAR_ACCESS_TOKEN: "${ROLLBAR_ACCESS_TOKEN}"
    build: ./backend-flask
    ports:
      - "4567:4567"
    volumes:
      - ./backend-flask:/backend-flask
  frontend-react-js:
    environment:
      REACT_APP_BACKEND_URL: "https://4567-${GITPOD_WORKSPACE_ID}.${GITPOD_WORKSPACE_CLUSTER_HOST}"
    build: ./frontend-react-js
    ports:
      - "3000:3000"
    volumes:
      - ./frontend-react-js:/frontend-react-js
  xray-daemon:
    image: "amazon/aws-xray-daemon"
    environment:
      AWS_ACCESS_KEY_ID: "${AWS_ACCESS_KEY_ID}"
      AWS_SECRET_ACCESS_KEY: "${AWS_SECRET_ACCESS_KEY}"
      AWS_REGION: "us-east-1"
    command:
      - "xray -o -b xray-daemon:2000"
    ports:
      - 2000:2000/udp
  dynamodb-local:
    user: root
    command: "-jar DynamoDBLocal.jar -sharedDb -dbPath ./data"
    image: "amazon/dynamodb-local:latest"
    container_name: dynamodb-local
    ports:
      - "8000:8000"
    volumes:
      - "./docker/dynamodb:/home/dynamodblocal/data"
    working_dir: /home/dynamodblocal
  db:
    image: postgres:13-alpine
    restart: always
    environment:
      - POSTGRES_USER=postgres
      - POSTGRES_PASSWORD=password
    ports:
      - '5432:5432'
    volumes:
      - db:/var/lib/postgresql/data

networks:
  internal-network:
    driver: bridge
    name: cruddur

volumes:
  db:
    driver: local
""",
    ".env.example": "# copy to .env\nHONEYCOMB_API_KEY=\nROLLBAR_ACCESS_TOKEN=\nFRONTEND_PORT=3001\n",
    "aws/json/xray.json": '{"SamplingRule": {"RuleName": "Cruddur", "ServiceName": "Cruddur"}}\n',
    "templates/index.html": "<h1>{{ title }}</h1>\n",
    "backend-flask/Dockerfile": """\
FROM python:3.10-slim-buster
WORKDIR /backend-flask
COPY requirements.txt requirements.txt
RUN pip3 install -r requirements.txt
COPY . .
ENV FLASK_ENV=development
EXPOSE ${PORT}
CMD [ "python3", "-m" , "flask", "run", "--host=0.0.0.0", "--port=4567"]
""",
    "backend-flask/requirements.txt": """\
flask
flask-cors

opentelemetry-api
opentelemetry-sdk
opentelemetry-exporter-otlp-proto-http
opentelemetry-instrumentation-flask
opentelemetry-instrumentation-requests

aws-xray-sdk
watchtower
blinker
rollbar
""",
    "backend-flask/app.py": """\
import logging
import os
from time import strftime

import rollbar
import rollbar.contrib.flask
import watchtower
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.ext.flask.middleware import XRayMiddleware
from flask import Flask, got_request_exception, request
from flask_cors import CORS
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from services.home_activities import HomeActivities

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.DEBUG)
LOGGER.addHandler(logging.StreamHandler())
LOGGER.addHandler(watchtower.CloudWatchLogHandler(log_group="cruddur"))

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)

xray_recorder.configure(service="backend-flask", dynamic_naming=os.getenv("AWS_XRAY_URL"))

app = Flask(__name__)
XRayMiddleware(app, xray_recorder)
FlaskInstrumentor().instrument_app(app)
RequestsInstrumentor().instrument()
CORS(app, resources={r"/api/*": {"origins": [os.getenv("FRONTEND_URL"), os.getenv("BACKEND_URL")]}})


@app.before_first_request
def init_rollbar():
    rollbar.init(os.getenv("ROLLBAR_ACCESS_TOKEN"), "production", allow_logging_basic_config=False)
    got_request_exception.connect(rollbar.contrib.flask.report_exception, app)


@app.after_request
def after_request(response):
    LOGGER.error("%s %s %s", strftime("[%Y-%b-%d %H:%M]"), request.full_path, response.status)
    return response


@app.route("/api/activities/home", methods=["GET"])
def data_home():
    return HomeActivities.run(logger=LOGGER), 200


@app.route("/rollbar/test")
def rollbar_test():
    rollbar.report_message("Hello World!", "warning")
    return "Hello World!"
""",
    "backend-flask/services/home_activities.py": """\
from datetime import datetime, timezone

from opentelemetry import trace

tracer = trace.get_tracer("home.activities")


class HomeActivities:
    def run(logger):
        logger.info("Hello Cloudwatch! from /api/activities/home")
        with tracer.start_as_current_span("home-activities-mock-data") as span:
            now = datetime.now(timezone.utc)
            span.set_attribute("app.now", now.isoformat())
            results = [{"handle": "a-made-up-handle", "message": "Hello", "created_at": now.isoformat()}]
            span.set_attribute("app.result_length", len(results))
            return results
""",
    "frontend-react-js/Dockerfile": """\
FROM node:16.18
ENV PORT=3000
COPY . /frontend-react-js
WORKDIR /frontend-react-js
RUN npm install
EXPOSE ${PORT}
CMD ["npm", "start"]
""",
    "frontend-react-js/package.json": '{"name": "frontend", "dependencies": {"react": "^18.2.0"}}\n',
}

FASTAPI = {
    ".gitignore": "__pycache__/\n.env\n",
    "compose.yaml": """\
name: orders
services:
  api:
    build: {context: ., dockerfile: docker/api.Dockerfile, args: {PYTHON: "3.13"}}
    command: ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8080"]
    ports: ["127.0.0.1:8000:8080"]
    environment:
      DATABASE_URL: postgresql://orders:${POSTGRES_PASSWORD:?set it in .env}@db:5432/orders
      REDIS_URL: redis://cache:6379/0
      LOG_LEVEL: ${LOG_LEVEL:-info}
    env_file:
      - path: .env
        required: false
    depends_on:
      db: {condition: service_healthy, restart: true}
      cache: {condition: service_started}
    healthcheck:
      test: ["CMD", "python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/healthz')"]
      interval: 2s
      retries: 30
    networks: [front, back]
  db:
    image: postgres:16-alpine
    environment:
      POSTGRES_USER: orders
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it in .env}
    healthcheck:
      test: pg_isready -U $${POSTGRES_USER}
      interval: 2s
    volumes: [data:/var/lib/postgresql/data]
    networks: [back]
  cache:
    image: redis:7-alpine
    command: redis-server --save ""
    networks: [back]
networks:
  front:
  back: {internal: true}
volumes:
  data:
""",
    "compose.override.yaml": """\
services:
  api:
    volumes: ["./app:/srv/app"]
    environment: {LOG_LEVEL: debug}
    develop:
      watch:
        - {action: rebuild, path: requirements.txt}
  db:
    ports: ["127.0.0.1:5433:5432"]
  adminer:
    image: adminer:4
    profiles: [tools]
    ports: ["127.0.0.1:8081:8080"]
    networks: [front, back]
""",
    ".env.sample": "POSTGRES_PASSWORD=\nLOG_LEVEL=info\nSTRIPE_API_KEY=\n",
    "requirements.txt": (
        "fastapi\nuvicorn\nopentelemetry-sdk\nopentelemetry-exporter-otlp-proto-http\n"
        "opentelemetry-instrumentation-fastapi\n"
    ),
    "docker/api.Dockerfile": """\
ARG PYTHON
FROM python:${PYTHON}-slim-trixie
WORKDIR /srv
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY app app
""",
    "app/main.py": """\
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
app = FastAPI()
FastAPIInstrumentor.instrument_app(app)


@app.get("/healthz")
def healthz():
    return {"ok": True}


@app.get("/")
def orders():
    return {"orders": []}
""",
}

MONOREPO = {
    "package.json": '{"private": true, "workspaces": ["apps/*"], "scripts": {"prepare": "husky"}}\n',
    ".husky/pre-commit": "npx lint-staged\n",
    ".gitignore": "node_modules\n.venv\n.env*\n!.env.example\n",
    ".gitattributes": "* text=auto\n*.png binary\n",
    ".devcontainer/devcontainer.json": """\
{
  // The editor lives in a service of its own.
  "name": "Shop",
  "dockerComposeFile": ["../docker-compose.yaml", "docker-compose.devcontainer.yml"],
  "service": "editor",
  "workspaceFolder": "/workspaces/shop",
  "forwardPorts": [3000, "db:5432",],
  "postCreateCommand": "npm ci",
}
""",
    ".devcontainer/docker-compose.devcontainer.yml": """\
services:
  editor:
    image: mcr.microsoft.com/devcontainers/base:bookworm
    command: sleep infinity
""",
    "docker-compose.yaml": """\
services:
  storefront:
    build: apps/storefront
    ports: ["3000:3000"]
    environment:
      API_URL: http://pricing:5000
      NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY: ${NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY}
      SESSION_SECRET:
    depends_on: [pricing]
  pricing:
    build: apps/pricing
    ports: ["5000:5000"]
    environment:
      MONGODB_URI: ${MONGODB_URI}
    depends_on: [db]
  db:
    image: mongo:7
    volumes: ["mongo:/data/db"]
volumes: {mongo: {}}
""",
    ".env.example": "MONGODB_URI=mongodb://db/shop\nSESSION_SECRET=\nNEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY=\n",
    "apps/storefront/Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["node", "server.js"]\n',
    "apps/storefront/server.js": """\
require("node:http").createServer((_, answer) => answer.end("shop")).listen(3000);
""",
    "apps/storefront/package.json": """\
{"dependencies": {"next": "15", "@opentelemetry/sdk-node": "0.57.0", "rollbar": "2.26.4"}}
""",
    "apps/pricing/Dockerfile": """\
FROM python:3.13-slim-trixie
WORKDIR /srv
COPY . .
RUN pip install --no-cache-dir .
STOPSIGNAL SIGINT
CMD python -m pricing
""",
    "apps/pricing/pyproject.toml": """\
[project]
name = "pricing"
version = "1"
dependencies = ["flask>=3", "aws_xray_sdk==2.14", "watchtower; python_version > '3.9'"]
""",
    "apps/pricing/pricing.py": """\
import json
import logging
import os

import boto3
import watchtower
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.ext.flask.middleware import XRayMiddleware
from flask import Flask

logger = logging.getLogger("pricing")
logger.setLevel(logging.INFO)
xray_recorder.configure(service="pricing")
app = Flask("pricing")
XRayMiddleware(app, xray_recorder)


@app.get("/")
def prices():
    trace = xray_recorder.current_segment().trace_id.removeprefix("1-").replace("-", "")
    logger.info(json.dumps({"message": "prices are asked for", "trace_id": trace}))
    return {"prices": [], "where": os.environ["MONGODB_URI"]}


if __name__ == "__main__":
    group = os.environ.get("CLOUDWATCH_LOG_GROUP", "shop")
    logs = boto3.client("logs")
    logger.addHandler(watchtower.CloudWatchLogHandler(group, boto3_client=logs, send_interval=1))
    app.run(host="0.0.0.0", port=5000)
""",
}

LONG_FORMS = {
    "compose.yml": """\
x-logging: &logging
  driver: json-file
  options: {max-size: "5m", max-file: "2"}
x-common: &common
  restart: unless-stopped
  logging: *logging
  labels: {team: core}
include:
  - path: infra/cache.yaml
services:
  web:
    <<: *common
    extends: {file: infra/base.yaml, service: python}
    build:
      context: ./web
      args: {COMMIT: }
      target: runtime
    ports:
      - {target: 8000, published: "8000", protocol: tcp, mode: host, host_ip: 127.0.0.1}
      - {target: 9464, published: "9464"}
    environment:
      - DOLLARS=a$$b
      - PASSED
      - API_TOKEN=${API_TOKEN-}
    expose: [9000]
    volumes:
      - {type: bind, source: ./web, target: /app, read_only: true}
      - {type: volume, source: state, target: /state, volume: {nocopy: true}}
      - {type: tmpfs, target: /scratch}
    configs: [{source: nginx, target: /etc/nginx.conf, mode: 0440}]
    secrets: [{source: signing, target: signing}]
    networks:
      default: {aliases: [www]}
      metrics:
    ulimits: {nofile: {soft: 1024, hard: 2048}}
    healthcheck:
      test: curl -fsS http://localhost:8000/ready?full=1 || exit 1
      interval: 5s
      start_period: 1m30s
    deploy: {resources: {limits: {memory: 256M}}}
    stop_signal: SIGINT
  worker:
    extends: web
    build: {context: ./web}
    ports: !reset []
    command: !override ["python", "-m", "worker"]
    network_mode: !reset null
networks:
  metrics: {driver_opts: {com.example: "1"}}
volumes:
  state: {labels: {keep: "yes"}}
configs:
  nginx: {content: "listen 80;"}
secrets:
  signing: {environment: SIGNING_KEY}
""",
    "infra/base.yaml": """\
services:
  python:
    init: true
    environment: {PYTHONUNBUFFERED: 1, REGION: eu-west-1}
    env_file: python.env
    cap_drop: [ALL]
""",
    "infra/python.env": "PYTHONDONTWRITEBYTECODE=1\n",
    "infra/cache.yaml": "services:\n  cache:\n    image: valkey/valkey:8\n    volumes: [./conf:/conf:ro]\n",
    "infra/conf/valkey.conf": "save 60 1\n",
    "web/Dockerfile": """\
FROM python:3.13-slim-trixie AS runtime
ARG COMMIT
LABEL commit=${COMMIT}
COPY requirements.txt curl ./
RUN pip install --no-cache-dir -r requirements.txt && install curl /usr/local/bin
WORKDIR /app
CMD ["python", "-m", "web"]
FROM runtime AS later
CMD ["false"]
""",
    "web/curl": """\
#!/usr/bin/env python3
import sys
import urllib.request

urllib.request.urlopen(sys.argv[-1])
""",
    "web/requirements.txt": "rollbar==1.3.0\n",
    "web/web.py": """\
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import rollbar

NAMES = ["DOLLARS", "PASSED", "API_TOKEN", "SIGNING_KEY", "REGION", "PYTHONDONTWRITEBYTECODE"]
FILES = ["/etc/nginx.conf", "/run/secrets/signing"]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if not self.path.startswith("/ready"):
            trace = self.headers.get("traceparent", "--").split("-")[1]
            rollbar.report_message("Seen", "warning", payload_data={"custom": {"trace_id": trace}})
        told = {name: os.environ.get(name) for name in NAMES}
        told.update((path, Path(path).read_text()) for path in FILES)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())


def serve(name):
    rollbar.init(os.environ.get("ROLLBAR_ACCESS_TOKEN"), name, handler="blocking")
    rollbar.SETTINGS["endpoint"] = os.environ.get("ROLLBAR_ENDPOINT", rollbar.SETTINGS["endpoint"])
    ThreadingHTTPServer(("", 8000), Handler).serve_forever()


if __name__ == "__main__":
    serve("web")
""",
    "web/worker.py": "import web\n\nweb.serve('worker')\n",
}

ALL = {"journal": JOURNAL, "fastapi": FASTAPI, "monorepo": MONOREPO, "long forms": LONG_FORMS}
