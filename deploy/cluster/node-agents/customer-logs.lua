-- Makes a row of logs.customer_logs out of each line of an app: the columns are those of the table, `ts` is in
-- milliseconds. It is the only place that says whose a line is, and it says it from the pod's labels alone, which Shuttle
-- writes: nothing that an app prints can change it.

local message_bytes_max = 64 * 1024
-- What one service may say on one node. The rest is counted, and told in the log itself.
local lines_per_second, burst_lines = 2000, 10000
local over_budget = "the service writes more lines than its budget allows"

-- Lines of one millisecond stay in order, also over a restart: seconds of the start, then a count.
local seq = os.time() * 1000000
local buckets, gaps = {}, {}

local levels = {
  trace = "debug", debug = "debug", verbose = "debug",
  info = "info", information = "info", notice = "info",
  warn = "warn", warning = "warn",
  err = "error", error = "error", fatal = "error", critical = "error", crit = "error",
  panic = "error", alert = "error", emerg = "error",
}

local function json_level(line)
  if line:sub(1, 1) ~= "{" then return nil end
  local stated = line:match('"level"%s*:%s*"?(%w+)') or line:match('"severity"%s*:%s*"?(%w+)')
  if not stated then return nil end
  local number = tonumber(stated)
  if number then
    return number >= 50 and "error" or number >= 40 and "warn" or number >= 30 and "info" or "debug"
  end
  stated = stated:lower()
  return stated == "log" and "info" or levels[stated]
end

-- A word of the table near the start, with nothing joined to it: "[warn]", "ERROR:", not "error-page".
local function word_level(line)
  local head = line:sub(1, 80):lower()
  local from = 1
  while true do
    local first, last = head:find("%a+", from)
    if not first then return nil end
    local before, after = head:sub(first - 1, first - 1), head:sub(last + 1, last + 1)
    local level = levels[head:sub(first, last)]
    if level and not before:find("[%w_.-]") and (after == "" and #head == #line or after:find('[%]:|)=%s"]')) then
      return level
    end
    from = last + 1
  end
end

-- The first "level=…", "lvl=…" or "severity=…".
local function pair_level(line)
  local lower = line:lower()
  for at, name, value in lower:gmatch("()(%a+)=[\"']?([%w_]+)") do
    local names_it = name == "level" or name == "lvl" or name == "severity"
    if names_it and not lower:sub(at - 1, at - 1):find("[%w_]") then
      return value == "log" and "info" or levels[value]
    end
  end
  return nil
end

local function level_of(line)
  local stated = json_level(line) or pair_level(line) or word_level(line)
  if stated then return stated end
  local is_error = line:match("^%s*[%w_]*Error:")
    or line:match("^%s*[%w_]*Exception:")
    or line:match("^%s*Uncaught%s+[%w_]*Error:")
    or line:match("^%s*Uncaught%s+[%w_]*Exception:")
  return is_error and "error" or "info"
end

-- Never ends within a character of UTF-8.
local function cut(text)
  if #text <= message_bytes_max then return text end
  local last = message_bytes_max
  while last > 0 and text:byte(last + 1) >= 128 and text:byte(last + 1) < 192 do last = last - 1 end
  return text:sub(1, last)
    .. " … [cut here: the line was " .. #text .. " bytes, " .. message_bytes_max .. " are kept]"
end

local function bucket_of(key, now)
  local bucket = buckets[key]
  if not bucket then
    bucket = { lines = burst_lines, errors = burst_lines / 4, at = now }
    buckets[key] = bucket
  end
  local passed = math.max(0, now - bucket.at) / 1000 * lines_per_second
  bucket.lines = math.min(burst_lines, bucket.lines + passed)
  bucket.errors = math.min(burst_lines / 4, bucket.errors + passed / 4)
  bucket.at = math.max(bucket.at, now)
  return bucket
end

-- Lines of errors have a reserve of their own: the one that matters is not lost in the noise.
local function allows(row)
  local bucket = bucket_of(row.project_id .. row.environment .. row.service_id, row.ts)
  if bucket.lines >= 1 then
    bucket.lines = bucket.lines - 1
    return true
  end
  if row.level == "error" and bucket.errors >= 1 then
    bucket.errors = bucket.errors - 1
    return true
  end
  return false
end

local function count_gap(row)
  local gap = gaps[row.instance_id]
  if not gap then
    gap = { row = row, count = 0, from = row.ts, to = row.ts }
    gaps[row.instance_id] = gap
  end
  gap.count = gap.count + 1
  gap.from, gap.to = math.min(gap.from, row.ts), math.max(gap.to, row.ts)
end

local function iso(ms)
  return os.date("!%Y-%m-%dT%H:%M:%S", math.floor(ms / 1000)) .. string.format(".%03dZ", ms % 1000)
end

local function next_seq()
  seq = seq + 1
  return seq
end

local function gap_record(gap)
  local first, last = iso(gap.from), iso(gap.to)
  local row = {}
  for name, value in pairs(gap.row) do row[name] = value end
  row.ts, row.seq, row.level, row.stream = gap.to, next_seq(), "warn", "system"
  row.message = gap.count .. (gap.count == 1 and " line was" or " lines were")
    .. " dropped between " .. first .. " and " .. last .. ": " .. over_budget
  row.attributes = string.format(
    '{"gap":true,"count":%d,"from":"%s","to":"%s","reason":"%s"}', gap.count, first, last, over_budget)
  return row
end

-- Every second: what was not told for a second is told now, in the place of the lines.
local function due_gaps(now)
  local due = {}
  for key, gap in pairs(gaps) do
    if now - gap.from >= 1000 then
      due[#due + 1] = gap_record(gap)
      gaps[key] = nil
    end
  end
  return due
end

-- A bucket that nobody drew from for ten minutes is full again: forgetting it changes nothing.
local function forget_full(now)
  for key, bucket in pairs(buckets) do
    if now - bucket.at > 600000 then buckets[key] = nil end
  end
end

local function row_of(at, record)
  local meta = record.kubernetes or {}
  local labels, annotations = meta.labels or {}, meta.annotations or {}
  local message = cut(record.log or "")
  return {
    -- Without labels (the API server was away) nobody's: Vector puts such lines aside, and an alert tells.
    project_id = labels["starform.io/project-id"] or "",
    environment = labels["starform.io/environment"] or "",
    service_id = labels["starform.io/service-id"] or "",
    workspace_id = labels["starform.io/workspace-id"] or "",
    deployment_id = annotations["starform.io/deployment-id"] or "",
    instance_id = meta.pod_name or "",
    namespace = meta.namespace_name or "",
    ts = at.sec * 1000 + math.floor(at.nsec / 1000000),
    seq = next_seq(),
    stream = record.stream or "stdout",
    level = level_of(message),
    message = message,
    attributes = "",
  }
end

function customer_logs(tag, at, record)
  if tag == "tick" then
    local now = at.sec * 1000 + math.floor(at.nsec / 1000000)
    local due = due_gaps(now)
    forget_full(now)
    if #due == 0 then return -1, at, record end
    return 2, at, due
  end
  local row = row_of(at, record)
  if allows(row) then return 2, at, row end
  count_gap(row)
  return -1, at, record
end
