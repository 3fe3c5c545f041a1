-- One exchange of a worker with the account that all workers share: what happened at the worker since the last one, and
-- what it may do now. The rules are those of core.py; a test compares both. All times are whole microseconds of Redis's
-- clock, so no clock of a machine matters.
--
-- KEYS[1]  begins the names of the account's keys. They are one hash slot.
-- ARGV[1]  JSON: worker, batch, now (tests only), per_minute, at_once, groups {name: [per_minute, at_once]}, window,
--          recovery, lease, settle, ttl, and ops: a list of [what, …], see `does` below.
-- Gives    JSON: {known: false} to a worker that must join first, else {known, running, waits, episodes, workers, low,
--          paused}.
--
-- A batch is carried out once, however often and late it comes: Redis may be sent it twice.

local given = cjson.decode(ARGV[1])
local worker, ops = given.worker, given.ops

local now = given.now
if not now then
  local time = redis.call("TIME")
  now = time[1] * 1000000 + time[2]
end

local ACCOUNT = KEYS[1] .. ":account" -- hash: generation, order, turn, grant, low, paused, quiet
local generation = redis.call("HGET", ACCOUNT, "generation")
if not generation then
  generation = string.format("%.0f", now)
  redis.call("HSET", ACCOUNT, "generation", generation)
  redis.call("PEXPIRE", ACCOUNT, given.ttl)
end

local function key(...)
  return table.concat({KEYS[1], generation, ...}, ":")
end

local WORKERS = key("workers") -- sorted set: worker, end of its lease
local BATCHES = key("batches") -- hash: worker, its last batch
local TICKETS = key("tickets") -- hash: ticket, what is known of it
local GROUPS = key("groups") -- hash: group, its limits
local ROUND = key("round") -- sorted set: client, its turn
local FIRST = "first" -- the lane before those of all clients

local written = {}
local function write(command, name, ...)
  written[name] = true
  return redis.call(command, name, ...)
end

local function get(field)
  return tonumber(redis.call("HGET", ACCOUNT, field))
end

local function set(field, value)
  write("HSET", ACCOUNT, field, value)
end

local function next_of(field)
  set(field, (get(field) or 0) + 1)
  return get(field)
end

-- Groups. The account is the one without a name, and every ticket needs a place in it.

local groups, limits = {""}, {[""] = {given.per_minute, given.at_once}}
for name, pair in pairs(given.groups) do
  write("HSET", GROUPS, name, cjson.encode(pair))
end
local told = redis.call("HGETALL", GROUPS)
for i = 1, #told, 2 do
  groups[#groups + 1] = told[i]
  limits[told[i]] = cjson.decode(told[i + 1])
end

local function starts(group) return key("starts", group) end -- sorted set: ticket, when it began
local function running(group) return key("running", group) end -- set of tickets
local function groups_of(ticket) return ticket.group == "" and {""} or {"", ticket.group} end

-- The allowance, see allowance.py

local low, paused = get("low") or 1, get("paused")

local function fraction()
  if not paused then return 1 end
  return math.min(1, low + math.max(0, now - paused) / given.recovery)
end

local function suspend(new_low, new_paused)
  low, paused = new_low, new_paused
  set("low", string.format("%.17g", low))
  set("paused", paused)
end

local function allowed(group)
  local limit = limits[group][1]
  return group == "" and math.max(1, math.floor(limit * fraction() + 1e-6)) or limit
end

local function free(group)
  write("ZREMRANGEBYSCORE", starts(group), "-inf", now - given.window)
  return redis.call("SCARD", running(group)) < limits[group][2]
    and redis.call("ZCARD", starts(group)) < allowed(group)
end

-- The queue, see fair_queue.py

local function queue(lane, group) return key("queue", lane, group) end -- sorted set: ticket, when it came

local function count(lane, group) -- without a group: of all
  local sum = 0
  for _, name in ipairs(group and {group} or groups) do
    sum = sum + redis.call("ZCARD", queue(lane, name))
  end
  return sum
end

local function line_up(lane) -- behind all other clients
  write("ZADD", ROUND, next_of("turn"), lane)
end

local function add(id, ticket, lane, order)
  if redis.call("HEXISTS", TICKETS, id) == 1 then return end
  ticket.worker, ticket.lane, ticket.order = worker, lane, string.format("%.0f", order)
  if lane ~= FIRST and count(lane) == 0 then line_up(lane) end
  write("ZADD", queue(lane, ticket.group), order, id)
  write("HSET", TICKETS, id, cjson.encode(ticket))
  write("SADD", key("tickets", worker), id)
end

local function find(id)
  local text = redis.call("HGET", TICKETS, id)
  return text and cjson.decode(text)
end

local function run(id, ticket, began)
  ticket.began = string.format("%.0f", began)
  write("HSET", TICKETS, id, cjson.encode(ticket))
  write("ZADD", key("granted", ticket.worker), next_of("grant"), id)
  for _, group in ipairs(groups_of(ticket)) do
    write("SADD", running(group), id)
  end
end

local function drop(id)
  local ticket = find(id)
  if not ticket then return nil end
  redis.call("HDEL", TICKETS, id)
  redis.call("SREM", key("tickets", ticket.worker), id)
  redis.call("ZREM", key("granted", ticket.worker), id)
  for _, group in ipairs(groups_of(ticket)) do
    redis.call("SREM", running(group), id)
  end
  if not ticket.began then
    redis.call("ZREM", queue(ticket.lane, ticket.group), id)
    if count(ticket.lane) == 0 then redis.call("ZREM", ROUND, ticket.lane) end
  end
  return ticket
end

local function drop_all(of)
  for _, id in ipairs(redis.call("SMEMBERS", key("tickets", of))) do drop(id) end
end

local function remove(gone)
  drop_all(gone)
  redis.call("ZREM", WORKERS, gone)
  redis.call("HDEL", BATCHES, gone)
end

local function grant(id)
  local ticket = find(id)
  redis.call("ZREM", queue(ticket.lane, ticket.group), id)
  if ticket.lane ~= FIRST then
    if count(ticket.lane) > 0 then line_up(ticket.lane) else redis.call("ZREM", ROUND, ticket.lane) end
  end
  run(id, ticket, now)
  for _, group in ipairs(groups_of(ticket)) do
    write("ZADD", starts(group), now, id)
  end
end

local function oldest(lane, open)
  local best, best_order
  for _, group in ipairs(open) do
    local head = redis.call("ZRANGE", queue(lane, group), 0, 0, "WITHSCORES")
    local order = tonumber(head[2])
    if order and (not best or order < best_order) then best, best_order = head[1], order end
  end
  return best
end

local function next_ticket()
  local open = {}
  for _, group in ipairs(groups) do
    if free(group) then
      open[#open + 1] = group
    elseif group == "" then
      return nil
    end
  end
  local best = oldest(FIRST, open)
  if best then return best end
  for _, lane in ipairs(redis.call("ZRANGE", ROUND, 0, -1)) do
    best = oldest(lane, open)
    if best then return best end
  end
end

local function grant_all()
  local quiet = get("quiet") or 0
  while now >= (paused or 0) and now >= quiet do
    local id = next_ticket()
    if not id then return end
    grant(id)
  end
end

-- How long a ticket will wait, see Core.wait

local counts = {} -- of a group's tickets, by client; counted once, when nothing changes any more
local function counts_of(group)
  local name = group or ""
  if not counts[name] then
    counts[name] = {}
    for _, lane in ipairs(redis.call("ZRANGE", ROUND, 0, -1)) do counts[name][lane] = count(lane, group) end
  end
  return counts[name]
end

local function ahead(ticket, group)
  local own = 0
  for _, name in ipairs(group and {group} or groups) do
    own = own + redis.call("ZCOUNT", queue(ticket.lane, name), "-inf", "(" .. ticket.order)
  end
  if ticket.lane == FIRST then return own end
  local others = count(FIRST, group)
  for lane, waiting in pairs(counts_of(group)) do
    if lane ~= ticket.lane then others = others + math.min(waiting, own + 1) end
  end
  return own + others
end

local function turn_at(group, turn)
  local earliest = math.max(now, paused or 0) -- the quiet is no wait for the quota: nobody is refused for it
  local begun, limit = redis.call("ZCARD", starts(group)), allowed(group)
  local rounds, index = 0, begun + turn - limit
  if index >= begun then
    rounds = math.floor((index - begun) / limit) + 1
    index = index - rounds * limit
  end
  if index >= 0 then
    local start = redis.call("ZRANGE", starts(group), index, index, "WITHSCORES")
    earliest = math.max(earliest, tonumber(start[2]) + given.window)
  end
  return earliest + rounds * given.window
end

local function wait(ticket)
  local turn = turn_at("", ahead(ticket))
  if ticket.group ~= "" then turn = math.max(turn, turn_at(ticket.group, ahead(ticket, ticket.group))) end
  return turn - now
end

-- What happens at workers

local episodes = {}
local does = {}

-- A worker comes, and tells all it knows. If it comes again and finds nobody, then the others will come again, too, within
-- moments; until then it is not known what they hold.
function does.join(again, its_low, its_pause)
  drop_all(worker)
  if again and redis.call("ZCARD", WORKERS) <= 1 then set("quiet", now + given.settle) end
  if its_pause and now + its_pause > (paused or 0) then suspend(its_low, now + its_pause) end
end

function does.leave()
  remove(worker)
end

-- `age`: how long ago it came; none for one that comes now.
function does.ask(id, client, first, group, age)
  local order = age and now - age or math.max((get("order") or 0) + 1, now)
  if not age then set("order", order) end
  add(id, {group = group}, first and FIRST or client, order)
end

-- One that was let go so long ago runs; its start counts.
function does.run(id, group, age)
  if redis.call("HEXISTS", TICKETS, id) == 1 then return end
  write("SADD", key("tickets", worker), id)
  run(id, {worker = worker, group = group}, now - age)
end

function does.start(id, group, age)
  if limits[group] then write("ZADD", starts(group), now - age, id) end
end

function does.drop(id)
  drop(id)
end

-- It was let go, and nothing was sent.
function does.forget(id)
  local ticket = drop(id)
  for _, group in ipairs(ticket and groups_of(ticket) or {}) do
    redis.call("ZREM", starts(group), id)
  end
end

function does.refused(id, pause)
  local ticket = drop(id)
  if not ticket or not ticket.began then return end
  if tonumber(ticket.began) < (paused or 0) then
    if now < paused then suspend(low, math.max(paused, now + pause)) end
  else
    suspend(fraction() / 2, now + pause)
    episodes[#episodes + 1] = id
  end
end

-- Whether Redis still has all it was told. One that is short of memory may throw away single keys, and then a ticket
-- would wait or run for ever.
local function whole()
  local sum = redis.call("SCARD", running("")) + count(FIRST)
  for _, lane in ipairs(redis.call("ZRANGE", ROUND, 0, -1)) do sum = sum + count(lane) end
  return sum == redis.call("HLEN", TICKETS)
end

-- The exchange

if not whole() then
  redis.call("DEL", ACCOUNT) -- a new generation: all workers must join again, and tell all they know
  return cjson.encode({known = false})
end
for _, gone in ipairs(redis.call("ZRANGEBYSCORE", WORKERS, "-inf", now)) do
  remove(gone)
end
if not redis.call("ZSCORE", WORKERS, worker) and not (ops[1] and ops[1][1] == "join") then
  return cjson.encode({known = false})
end
write("ZADD", WORKERS, now + given.lease, worker)
if given.batch > (tonumber(redis.call("HGET", BATCHES, worker)) or 0) then
  write("HSET", BATCHES, worker, given.batch)
  for _, op in ipairs(ops) do
    does[op[1]](unpack(op, 2))
  end
end
grant_all()

local waits = {}
for _, op in ipairs(ops) do
  local ticket = op[1] == "ask" and find(op[2])
  if ticket and not ticket.began then waits[op[2]] = wait(ticket) end
end
for name in pairs(written) do
  redis.call("PEXPIRE", name, given.ttl)
end
return cjson.encode({
  known = true,
  running = redis.call("ZRANGE", key("granted", worker), 0, -1), -- in the order in which they were let go
  waits = waits,
  episodes = episodes,
  workers = redis.call("ZCARD", WORKERS),
  low = low,
  paused = paused and paused - now,
})
