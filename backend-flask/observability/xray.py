"""Segments to AWS X-Ray through its SDK and daemon.

The SDK patches no library: those that it patches also record the calls that other vendors' exporters make.
"""

import functools
import logging
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from aws_xray_sdk.core import AWSXRayRecorder
from aws_xray_sdk.core.models import http
from aws_xray_sdk.core.models.segment import Segment
from aws_xray_sdk.core.utils import stacktrace
from flask import Flask, got_request_exception

from observability.delivery import Account, Running
from observability.edge import Trace, current_trace, new_trace_id, note_decision
from observability.wsgi import Headers, watching, wrap
from observability.xray_daemon import SamplingRules, SegmentSocket
from settings import HEALTH_PATH, Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from services.recorder import Recorder

_log = logging.getLogger(__name__)


def instrument(app: Flask, settings: Settings) -> Running:
    """Record every request but health checks as a segment, as X-Ray's sampling rules decide."""
    account = Account("xray", "segments")
    rules = SamplingRules(settings.xray.tcp)  # first: it reads AWS's configuration, which may be broken
    emitter = SegmentSocket(settings.xray.udp, account)
    recorder = AWSXRayRecorder()
    recorder.emitter._socket.close()  # noqa: SLF001 - the SDK opens one of its own, and has no way to close it
    recorder.emitter = emitter
    # Set one by one, as `configure` lets environment variables overrule what it is given.
    recorder.service = settings.service_name
    recorder.context.context_missing = "IGNORE_ERROR"
    recorder.sampler.xray_client = rules
    recorder.sampler.load_settings(rules, recorder.context)

    def stop(_seconds: float) -> None:
        rules.stop()
        emitter.stop()

    def record_exception(_app: Flask, exception: BaseException, **_: object) -> None:
        if segment := recorder.get_trace_entity():  # what is open when nobody has caught it: the segment
            segment.add_exception(exception, stacktrace.get_stacktrace(limit=recorder.max_trace_back))

    handed_to_routes: Recorder = SampledOnly(recorder)
    app.extensions["xray_recorder"] = handed_to_routes
    app.extensions["xray_call"] = functools.partial(RemoteCall.begin, recorder)
    wrap(app, lambda inner: Segments(inner, recorder))
    got_request_exception.connect(record_exception, app, weak=False)
    return Running(lambda: {**account.report(), "waiting": 0}, stop)


class Segments:
    """WSGI middleware: one segment for each request that is sampled, and nothing for the others.

    The SDK's own middleware does as much work for a request that is not sampled as for one that is.
    """

    def __init__(self, app: "WSGIApplication", recorder: AWSXRayRecorder) -> None:
        self._app = app
        self._recorder = recorder

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request inside its segment."""
        if environ.get("PATH_INFO") == HEALTH_PATH:
            return self._app(environ, start_response)
        segment = self._begin(environ)
        if segment is None:
            return self._app(environ, start_response)

        def seen(status: int, headers: Headers) -> None:
            segment.put_http_meta(http.STATUS, status)
            length = next((value for name, value in headers if name.lower() == "content-length"), None)
            if length is not None:
                segment.put_http_meta(http.CONTENT_LENGTH, int(length))

        try:
            return self._app(environ, watching(start_response, seen))
        finally:
            self._end()

    def _begin(self, environ: "WSGIEnvironment") -> Segment | None:
        """Open the segment, if this request is sampled and telemetry has no trouble of its own."""
        try:
            trace = current_trace() or Trace(new_trace_id())
            decision = self._decide(trace, environ)
            note_decision(sampled=bool(decision))
            if not decision:
                return None
            segment = self._recorder.begin_segment(
                self._recorder.service, trace.xray_id, trace.parent_segment, sampling=decision
            )
            segment.put_http_meta(http.URL, _url(environ))
            segment.put_http_meta(http.METHOD, environ["REQUEST_METHOD"])
            segment.put_http_meta(http.USER_AGENT, environ.get("HTTP_USER_AGENT"))
            segment.put_http_meta(http.CLIENT_IP, environ.get("REMOTE_ADDR"))
        except Exception:  # noqa: BLE001 - telemetry must never fail a request
            _log.warning("X-Ray: a request is not recorded", exc_info=True)
            self._recorder.clear_trace_entities()
            return None
        return segment

    def _decide(self, trace: Trace, environ: "WSGIEnvironment") -> object:
        """Follow the caller if it has decided, else the sampling rules: a rule's name, True or False."""
        if trace.sampled is not None:
            return trace.sampled
        return self._recorder.sampler.should_trace(
            {
                "service": self._recorder.service,
                "host": environ.get("HTTP_HOST"),
                "method": environ["REQUEST_METHOD"],
                "path": environ["PATH_INFO"],
            }
        )

    def _end(self) -> None:
        try:
            self._recorder.end_segment()
        except Exception:  # noqa: BLE001 - telemetry must never fail a request
            _log.warning("X-Ray: a segment is lost", exc_info=True)
        finally:
            self._recorder.clear_trace_entities()  # also when a subsegment was left open, which holds it back


def _url(environ: "WSGIEnvironment") -> str:
    """Answer the URL without its query string, which may carry a secret."""
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return f"{environ['wsgi.url_scheme']}://{host}{quote(environ['PATH_INFO'], '/@:', 'latin-1')}"


class RemoteCall:
    """The subsegment of a call to a sibling, and the parent of that one's segment: X-Ray draws an arrow."""

    def __init__(self, recorder: AWSXRayRecorder, host: str, method: str, url: str) -> None:
        self._recorder = recorder
        self._subsegment = recorder.begin_subsegment(host, "remote")
        self._subsegment.put_http_meta(http.METHOD, method)
        self._subsegment.put_http_meta(http.URL, url)
        self.id: str = self._subsegment.id

    @classmethod
    def begin(cls, recorder: AWSXRayRecorder, host: str, method: str, url: str) -> Self | None:
        """Open one, where something is recorded."""
        return cls(recorder, host, method, url) if recorder.get_trace_entity() else None

    def end(self, status: int | None, error: Exception | None) -> None:
        """Say how it went."""
        if error is not None:
            limit = self._recorder.max_trace_back
            self._subsegment.add_exception(error, stacktrace.get_stacktrace(limit=limit))
        else:
            self._subsegment.put_http_meta(http.STATUS, status)
        self._recorder.end_subsegment()


class SampledOnly:
    """The SDK's recorder, for services: where no segment is open, nothing is made and nothing is recorded.

    The SDK itself warns about every subsegment without a segment, and has none to give to a `with` statement.
    """

    def __init__(self, recorder: AWSXRayRecorder) -> None:
        self._recorder = recorder

    def in_subsegment(self, name: str) -> AbstractContextManager[object]:
        """Record the block as a subsegment of what is open."""
        return self._recorder.in_subsegment(name) if self._is_open() else nullcontext()

    def put_annotation(self, key: str, value: str | float) -> None:
        """Add an indexed value to what is open."""
        if self._is_open():
            self._recorder.put_annotation(key, value)

    def put_metadata(self, key: str, value: object, namespace: str) -> None:
        """Add any JSON value to what is open."""
        if self._is_open():
            self._recorder.put_metadata(key, value, namespace)

    def _is_open(self) -> bool:
        return self._recorder.get_trace_entity() is not None
