"""The telemetry collector: receives what services report, keeps it for a while, and shows it.

Where to look, in the order in which a span goes through:

- `server` puts everything together; `application`, `access`, `connections`, `sockets` are its door: routes,
  who may ask, slow clients, ports. `image` and `__main__` make it a container.
- Receiving, one module per protocol: `otlp` (with `spans`), `xray` and `xray_api` (with `segments`),
  `cloudwatch` (with `logs_*`, `log_events`, and `filter_patterns` of `json_patterns` and `log_regex`),
  `rollbar`. `intake`, `bodies`, `limits` bound what they take; `masking`, `credentials` hide what is secret.
- Storing: `records` are what is kept, `rows` as tables have them, `rollup` sums traces up. `writer` is the
  one thread that commits, `transactions` what it does, `retention` what makes room. `layout` has the tables,
  `store` opens the file.
- Asking: `questions` has the types of what can be asked, `search` answers: filters (`conditions`,
  `contents`, `found`), the heatmap (`latency`, `scales`, `window`), comparisons (`differences`, `comparing`,
  `traits`), one trace (`reading`), lines and errors (`listing`, `grouping`, `evidence`).
- Telling, live: `feed` hears of commits, `quiet` waits for whole traces, `mailbox` bounds each reader,
  `wishes` and `events` choose and shape, `stream` sends.
- Showing: `api` answers in JSON (`views`, `parameters`), `dashboard/` as pages.
"""
