-- SPDX-License-Identifier: MIT
-- Extends wrk for scripts/bench: sends several requests at once (`-- DEPTH`) and prints its figures in one
-- line: requests, microseconds, p50, p99, p99.9 in microseconds, statuses from 400 up, other errors.

function init(arguments)
  local depth = tonumber(arguments[1])
  if depth > 1 then
    local requests = string.rep(wrk.format(), depth)
    request = function() return requests end
  end
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format("measured %d %d %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    e.status, e.connect + e.read + e.write + e.timeout))
end
