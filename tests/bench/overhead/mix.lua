-- Sends in turn the requests that are wrk's arguments ("METHOD PATH [JSON]"), and prints what came of it as JSON.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  requests, sent, statuses, turn = {}, {}, {}, 0
  for index, line in ipairs(arguments) do
    local method, path, body = line:match("^(%S+) (%S+) ?(.*)$")
    local headers = body ~= "" and {["Content-Type"] = "application/json"} or {}
    requests[index] = wrk.format(method, path, headers, body ~= "" and body or nil)
    sent[index] = 0
  end
  sent[1] = -1 -- wrk asks for one request before it starts, and does not send it
end

function request()
  local index = turn % #requests + 1
  turn = turn + 1
  sent[index] = sent[index] + 1
  return requests[index]
end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
end

function done(summary, latency)
  -- One thread is all there is: the caller asks for one.
  local sent, statuses, errors = {}, {}, summary.errors
  for _, count in ipairs(threads[1]:get("sent")) do
    table.insert(sent, count)
  end
  for status, count in pairs(threads[1]:get("statuses")) do
    table.insert(statuses, string.format('"%d": %d', status, count))
  end
  io.write(string.format(
    '{"seconds": %.6f, "sent": [%s], "failed": %d, "p50": %.6f, "p99": %.6f, "statuses": {%s}}\n',
    summary.duration / 1e6, table.concat(sent, ", "),
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, table.concat(statuses, ", ")))
end
