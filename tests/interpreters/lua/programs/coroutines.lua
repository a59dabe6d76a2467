-- Coroutines: generators, pipelines, thousands that are parked with the only reference to what they made.
local scale = tonumber(arg[1]) or 1

local function range(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end
local s = 0
for i in range(100000 * scale) do s = s + i end
print("generator", s)

local function permutations(a, n)
  n = n or #a
  if n <= 1 then coroutine.yield(a) return end
  for i = 1, n do
    a[n], a[i] = a[i], a[n]
    permutations(a, n - 1)
    a[n], a[i] = a[i], a[n]
  end
end
local count, check = 0, 0
for p in coroutine.wrap(function() permutations({ 1, 2, 3, 4, 5, 6, 7 }) end) do
  count = count + 1
  check = (check * 7 + p[1] * 10 + p[7]) % 1000003
end
print("permutations", count, check)

-- Each parked coroutine holds tables and strings in its own stack and nowhere else.
local parked = {}
for i = 1, 3000 do
  local co = coroutine.create(function(a)
    local own = { a, "text " .. a, { a * 2 } }
    local function inner(depth)
      local here = { own, depth }
      if depth == 0 then coroutine.yield() else inner(depth - 1) end
      return here[2] + own[3][1]
    end
    return inner(i % 20) + #own[2]
  end)
  coroutine.resume(co, i)
  parked[i] = co
end
local junk = 0
for i = 1, 100000 * scale do junk = junk + #{ i, {} } end
local total = 0
for i = 1, 3000 do
  local ok, v = coroutine.resume(parked[i])
  assert(ok, v)
  total = total + v
end
print("parked", total, coroutine.status(parked[1]))
parked = nil

-- Short-lived ones that never end.
local alive = 0
for i = 1, 20000 * scale do
  local co = coroutine.wrap(function(x) local y = { x } coroutine.yield(y[1]) alive = -1 end)
  alive = alive + co(i) % 3
end
print("abandoned", alive)

local function filter(p, source) return coroutine.wrap(function() for v in source do if v % p ~= 0 then coroutine.yield(v) end end end) end
local source = coroutine.wrap(function() for i = 2, math.huge do coroutine.yield(i) end end)
local primes = {}
for i = 1, 60 do
  local p = source()
  primes[i] = p
  source = filter(p, source)
end
print("sieve of filters", primes[60])

local co = coroutine.create(function() local t <close> = setmetatable({}, { __close = function() print("closed in coroutine") end }) coroutine.yield() end)
coroutine.resume(co)
print("close", coroutine.close(co), coroutine.status(co))
local ok, e = coroutine.resume(coroutine.create(function() error({ code = 7 }) end))
print("error", ok, e.code)
print("wrap error", pcall(coroutine.wrap(function() error("inside", 0) end)))
print("yield across pcall", coroutine.wrap(function() return pcall(function() return coroutine.yield(1) + 1 end) end)())
