// Sends one span by each exporter, and one item, all of the trace whose id is the first argument.
// OpenTelemetry reads its own variables; Rollbar's endpoint is ROLLBAR_ENDPOINT.

import { context, SpanStatusCode, trace, TraceFlags } from "@opentelemetry/api";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { detectResources, envDetector } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import Rollbar from "rollbar";

const traceId = process.argv[2];
const service = process.env.OTEL_SERVICE_NAME;

for (const [name, exporter] of [["json", new JsonExporter()], ["protobuf", new ProtobufExporter()]]) {
  const provider = new NodeTracerProvider({
    resource: detectResources({ detectors: [envDetector] }),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  });
  const caller = { traceId, spanId: "00f067aa0ba902b7", traceFlags: TraceFlags.SAMPLED, isRemote: true };
  const span = provider
    .getTracer("clients", "1.0.0")
    .startSpan(`by ${name}`, { attributes: { "user.id": 7, ratio: 0.5, tags: ["a", "b"], big: 2 ** 53 } },
      trace.setSpanContext(context.active(), caller));
  span.addEvent("happened", { note: "ünïcode" });
  span.recordException(new Error(`broke by ${name}`));
  span.setStatus({ code: SpanStatusCode.ERROR, message: "it broke" });
  span.end();
  await provider.forceFlush();
  await provider.shutdown();
}

const rollbar = new Rollbar({
  accessToken: "0".repeat(32),
  endpoint: process.env.ROLLBAR_ENDPOINT,
  environment: "test",
});
await new Promise((done, failed) => {
  rollbar.error(new TypeError("it broke in node"), { trace_id: traceId, service }, (error, answer) =>
    error ? failed(error) : done(answer));
});
