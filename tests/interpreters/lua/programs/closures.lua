-- Closures: shared and private upvalues, open and closed; functions that make functions.
local scale = tonumber(arg[1]) or 1

local function counter(step)
  local n = 0
  return function() n = n + step return n end, function() return n end
end

local sum = 0
for i = 1, 20000 * scale do
  local up, read = counter(i % 7)
  up() up()
  sum = sum + read()
end
print("counters", sum)

-- One variable of a loop, one upvalue for each turn.
local kept = {}
for i = 1, 100 do kept[i] = function(d) i = i + d return i end end
for i = 1, 100 do kept[i](i) end
local total = 0
for i = 1, 100 do total = total + kept[i](0) end
print("loop variables", total)

local function compose(f, g) return function(...) return f(g(...)) end end
local add = function(x) return x + 1 end
local twice = function(f) return compose(f, f) end
print("composed", twice(twice(twice(add)))(0))

local chain = function(x) return x end
for _ = 1, 150 do chain = compose(add, chain) end
print("chain", chain(5))

local function memoize(f)
  local known = {}
  return function(n)
    local v = known[n]
    if v == nil then v = f(n) known[n] = v end
    return v
  end
end
local fib
fib = memoize(function(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end)
print("fib", fib(80))

local function pack2(...) return select("#", ...), { ... } end
local n, t = pack2(nil, 1, nil)
print("varargs", n, t[2])

-- A queue made of closures only.
local function list(head, tail) return function(pick) return pick(head, tail) end end
local l
for i = 1, 30000 * scale do l = list(i, l) end
local length, at = 0, l
while at do length = length + 1 at = at(function(_, tail) return tail end) end
print("closure list", length)
