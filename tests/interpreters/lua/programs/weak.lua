-- Weak tables: what is kept is there, what is not goes, and keys that are reached from their own values go too.
-- A collector that reads stacks conservatively may keep a few by accident: "nearly none" is one in a hundred.
local scale = tonumber(arg[1]) or 1
local n = math.max(200, 2000 * scale // 1)
local nearly_none = n // 100

local function size(t)
  local c = 0
  for _ in pairs(t) do c = c + 1 end
  return c
end
local function collect() collectgarbage() collectgarbage() end

local keep = {}
local function fill_values()
  local t = setmetatable({}, { __mode = "v" })
  for i = 1, n do t["k" .. i] = { i } end
  for i = 1, 10 do t[i] = { i } keep[i] = t[i] end
  t.text, t.number, t.truth = "a string is a value", 5, true
  return t
end
local values = fill_values()
collect()
local found = 0
for i = 1, 10 do if values[i] == keep[i] then found = found + 1 end end
print("values", found, values.text, values.number, values.truth, size(values) - 13 <= nearly_none)

local function fill_keys()
  local t = setmetatable({}, { __mode = "k" })
  for i = 1, n do t[{ i }] = i end
  for i = 1, 10 do t[keep[i]] = i * 2 end
  t.name = { "kept by a string key" }
  return t
end
local keys = fill_keys()
collect()
found = 0
for i = 1, 10 do if keys[keep[i]] == i * 2 then found = found + 1 end end
print("keys", found, keys.name[1], size(keys) - 11 <= nearly_none)

-- Each value leads to its own key, and to a key whose value leads back.
local function fill_ephemerons()
  local t = setmetatable({}, { __mode = "k" })
  for i = 1, n, 2 do
    local a, b = {}, {}
    t[a] = { a, b }
    t[b] = { b, a }
  end
  for i = 1, 10 do t[keep[i]] = { keep[i], i } end
  return t
end
local ephemerons = fill_ephemerons()
collect()
found = 0
for i = 1, 10 do if ephemerons[keep[i]][2] == i then found = found + 1 end end
print("ephemerons", found, size(ephemerons) - 10 <= nearly_none)

-- A chain of keys in which only the first is held from outside: all of it lives.
local head = {}
local chain = setmetatable({}, { __mode = "k" })
local at = head
for i = 1, 500 do
  local next_key = { i }
  chain[at] = next_key
  at = next_key
end
at = nil
collect()
local length, walk = 0, head
while chain[walk] do walk = chain[walk] length = length + 1 end
print("chain", length)

local both = setmetatable({}, { __mode = "kv" })
for i = 1, 10 do both[keep[i]] = keep[11 - i] end
for i = 1, n do both[{ i }] = keep[1] both[i] = { i } end
collect()
found = 0
for i = 1, 10 do if both[keep[i]] == keep[11 - i] then found = found + 1 end end
print("both", found, size(both) - 10 <= 2 * nearly_none)

-- Values that are replaced, keys that are removed and come back.
local cache = setmetatable({}, { __mode = "v" })
local hits, held = 0, {}
for i = 1, 20 * n do
  local k = "item" .. i % 50
  local v = cache[k]
  if v then hits = hits + 1 else v = { k } cache[k] = v end
  assert(v[1] == k)
  held[i % 70] = v
  if i % 3 == 0 then cache[k] = nil end
  if i % 5 == 0 then cache[k] = { k } end
end
print("cache", hits > 0)

for _ = 1, 200 do
  local t = setmetatable({}, { __mode = "k" })
  for i = 1, 20 do t[{}] = { i } end
  t[t] = t
end
collect()
print("tables that die themselves", true)

local late = {}
for i = 1, n do late[i] = { i } end
setmetatable(late, { __mode = "v" })
collect()
print("weak later", size(late) <= nearly_none)
