"""The protocols of those that send: OpenTelemetry, X-Ray, CloudWatch Logs and Rollbar."""
