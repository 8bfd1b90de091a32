-- Sends the requests that are wrk's arguments ("METHOD PATH [JSON]") in turn; prints the results as JSON.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  requests, sent, statuses = {}, -1, {} -- -1: wrk asks for one request that it does not send
  for _, line in ipairs(arguments) do
    local method, path, body = line:match("^(%S+) (%S+) ?(.*)$")
    local headers = {}
    if body ~= "" then
      headers["Content-Type"] = "application/json"
    end
    table.insert(requests, wrk.format(method, path, headers, body ~= "" and body or nil))
  end
end

function request()
  sent = sent + 1
  return requests[sent % #requests + 1]
end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
end

function done(summary, latency)
  local total, lines, errors = 0, {}, summary.errors
  local answered = {}
  for _, thread in ipairs(threads) do
    total = total + thread:get("sent")
    for status, count in pairs(thread:get("statuses")) do
      answered[status] = (answered[status] or 0) + count
    end
  end
  for status, count in pairs(answered) do
    table.insert(lines, string.format('"%d": %d', status, count))
  end
  io.write(string.format(
    '{"seconds": %.6f, "sent": %d, "completed": %d, "failed": %d, "p50": %.6f, "p99": %.6f, "statuses": {%s}}\n',
    summary.duration / 1e6, total, summary.requests,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, table.concat(lines, ", ")))
end
