-- Metatables: classes, operators, proxies, variables that are closed.
local scale = tonumber(arg[1]) or 1

local Shape = {} Shape.__index = Shape
function Shape.new(name) return setmetatable({ name = name }, Shape) end
function Shape:area() return 0 end
function Shape:describe() return self.name .. " " .. self:area() end
local Square = setmetatable({}, { __index = Shape }) Square.__index = Square
function Square.new(side)
  local s = Shape.new("square")
  s.side = side
  return setmetatable(s, Square)
end
function Square:area() return self.side * self.side end
local total = 0
for i = 1, 100000 * scale do total = total + Square.new(i % 10):area() end
print("methods", total, Square.new(4):describe(), Shape.new("none"):describe())

local V = {}
V.__index = V
local function vec(x, y) return setmetatable({ x = x, y = y }, V) end
V.__add = function(a, b) return vec(a.x + b.x, a.y + b.y) end
V.__mul = function(a, b)
  if type(a) == "number" then return vec(a * b.x, a * b.y) end
  return a.x * b.x + a.y * b.y
end
V.__unm = function(a) return vec(-a.x, -a.y) end
V.__eq = function(a, b) return a.x == b.x and a.y == b.y end
V.__lt = function(a, b) return a.x < b.x end
V.__le = function(a, b) return a.x <= b.x end
V.__len = function(a) return a.x + a.y end
V.__call = function(a, k) return a.x * k end
V.__concat = function(a, b) return tostring(a) .. "|" .. tostring(b) end
V.__tostring = function(a) return "(" .. a.x .. "," .. a.y .. ")" end
V.__idiv = function(a, k) return vec(a.x // k, a.y // k) end
V.__band = function(a, k) return vec(a.x & k, a.y & k) end
local p = vec(0, 0)
for i = 1, 100000 * scale do p = p + 2 * vec(i, 1) end
print("operators", p, -p, p == vec(p.x, p.y), vec(1, 2) < vec(2, 1), #vec(3, 4), vec(5, 0)(3))
print("more", vec(1, 2) .. vec(3, 4), vec(9, 7) // 2, vec(7, 5) & 3, vec(1, 1) <= vec(1, 0), vec(1, 2) * vec(3, 4))

local log = {}
local function proxy(t)
  return setmetatable({}, {
    __index = function(_, k) log[#log + 1] = "get " .. tostring(k) return t[k] end,
    __newindex = function(_, k, v) log[#log + 1] = "set " .. tostring(k) t[k] = v end,
    __pairs = function() return next, t, nil end,
  })
end
local x = proxy({ 10, 20 })
x[3] = x[1] + x[2]
local s = 0
for _, v in pairs(x) do s = s + v end
print("proxy", s, table.concat(log, "; "))

local default = setmetatable({}, { __index = function(t, k) local v = k * k rawset(t, k, v) return v end })
local squares = 0
for i = 1, 5000 do squares = squares + default[i % 100] end
print("defaults", squares, rawget(default, 50), rawlen(default))

local closed = {}
local function resource(name)
  return setmetatable({}, { __close = function(_, e) closed[#closed + 1] = name .. (e and "!" or "") end })
end
pcall(function()
  local a <close> = resource("a")
  local b <close> = resource("b")
  do local c <close> = resource("c") end
  error("stop")
end)
print("closed", table.concat(closed, " "))
print("name", (tostring(setmetatable({}, { __name = "Widget" })):gsub(": .*", "")))
