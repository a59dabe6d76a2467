-- Errors: raised, caught, wrapped, out of depth, out of the parser; goto; integers and floats.
local scale = tonumber(arg[1]) or 1

print(pcall(error, "plain"))
print(pcall(error))
print(select(2, pcall(function() local t = nil return t.x end)))
print(select(2, pcall(function() return 1 + {} end)))
print(select(2, pcall(function() return #5 end)))
print(select(2, pcall(function() return {} < {} end)))
print(select(2, pcall(function() undefined_function() end)))
print(select(2, pcall(string.rep, "x", -1)))
print(select(2, pcall(setmetatable, 1, {})))
print(xpcall(function() error("deep", 0) end, function(m) return "handled " .. m end))
print(select(2, pcall(function() local x <const> = 1 error(setmetatable({}, { __tostring = function() return "object" end })) end)))

local function overflow(n) return 1 + overflow(n + 1) end
local ok, message = pcall(overflow, 1)
print("overflow", ok, (message:gsub("^.-:%d+: ", ""):gsub(" %(.*", "")))
print("string overflow", pcall(string.rep, "x", 1 << 62))

local caught = 0
for i = 1, 50000 * scale do
  local ok, e = pcall(function() error({ i }) end)
  if not ok and e[1] == i then caught = caught + 1 end
end
print("caught", caught == 50000 * scale // 1 or caught)

print(load("x ="))
print(load("goto nowhere"))
print(load("for i = 1 do end"))
print(load("return 'unfinished"))
local compiled = 0
for i = 1, 3000 * scale do
  local f = assert(load("local a, b = ... ; local function g(x) return x * " .. i .. " + a end return g(b), 'name" .. i .. "'"))
  compiled = compiled + f(1, 2)
end
print("compiled", compiled)
local dumped = string.dump(function(x) return x and x + 1 or "nothing" end)
print("dumped", load(dumped, "d", "b")(41), load(dumped)())

local function collatz(n)
  local steps = 0
  ::again::
  if n == 1 then return steps end
  n = n % 2 == 0 and n // 2 or 3 * n + 1
  steps = steps + 1
  goto again
end
print("collatz", collatz(27), collatz(97))

print("division", 7 // 2, -7 // 2, 7 // -2, 7 % -3, -7 % 3, 7 // 2.0, 5.5 // 2, 1 // 0.0, -5.5 % 2)
print("zero", pcall(function() return 1 // 0 end))
print("zero", pcall(function() return 1 % 0 end))
print("wrap", math.maxinteger + 1 == math.mininteger, math.mininteger // -1, 1 << 63, 1 << 64, -1 >> 1)
print("float", 2 ^ 53 == 2 ^ 53 + 1, 1e15, 0.1 + 0.2, 100 // 1e-1, math.tointeger(3.0), 3 | 0)
print("convert", tostring(3.0), 10 / 2, "0x1p4" + 0, math.type(1), math.type(1.0), math.ult(1, -1))
print("compare", 1 == 1.0, math.maxinteger < math.huge, 2 ^ 63 > math.maxinteger, "10" == 10)
