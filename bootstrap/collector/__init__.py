"""The telemetry collector: receives what services report, keeps it for a while, and shows it.

Where to look, in the order in which a span goes through; imports go from the first to the last of
`dashboard > telling > answering | receiving > storing > asking > tables > telemetry`, and never back:

- `server` puts everything together; `application`, `access`, `connections`, `sockets` are its door: routes,
  who may ask, slow clients, ports. `image` and `__main__` make it a container.
- `receiving`, one module per protocol: `otlp` (with `spans`), `xray` and `xray_api`, `cloudwatch` (with
  `logs_*`, `log_events`, and `filter_patterns` of `json_patterns` and `log_regex`), `rollbar`. `intake` and
  `bodies` bound what they take.
- `telemetry` is what arrives: `records`, X-Ray's `segments`, `limits`; `masking` and `credentials` hide what
  is secret.
- `tables`: `rows` as the store has them, `rollup` sums traces up, `layout` says which tables there are.
- `storing`: `writer` is the one thread that commits, `transactions` what it does, `retention` what makes
  room, `store` opens the file.
- `asking`: `questions` has the types of what can be asked, `search` answers: filters (`conditions`,
  `contents`, `found`), the heatmap (`latency`, `scales`, `window`), comparisons (`differences`, `comparing`,
  `traits`), one trace (`reading`), lines and errors (`listing`, `grouping`, `evidence`).
- `telling`, live: `feed` hears of commits, `quiet` waits for whole traces, `mailbox` bounds each reader,
  `wishes` and `events` choose and shape, `stream` sends.
- `answering`: `api` in JSON (`views`, `parameters`); `dashboard` as pages.
"""
