-- One decision, asked again and again: `wrk -s wrk.lua URL -- FILE_WITH_BODY HOST`. The last line of the output is JSON.
local text

function init(arguments)
  local file = assert(io.open(arguments[1]))
  local headers = { ["Content-Type"] = "application/json", ["Host"] = arguments[2] }
  text = wrk.format("POST", nil, headers, file:read("*a"))
  file:close()
end

function request()
  return text
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local line = '{"requests":%d,"microseconds":%d,"failed":%d,"p99":%f}'
  print(line:format(summary.requests, summary.duration, failed, latency:percentile(99)))
end
