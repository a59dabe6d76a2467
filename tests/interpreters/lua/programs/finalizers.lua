-- Finalizers: each runs once, sees its object whole, may bring it back; those left run at the end.
-- Conservative stacks may hold a few objects longer: counts are told as "nearly all".
local scale = tonumber(arg[1]) or 1
local n = math.max(200, 5000 * scale // 1)

local ran, whole = 0, true
local function make(i)
  setmetatable({ i, { i * 2 } }, { __gc = function(o)
    ran = ran + 1
    if o[2][1] ~= o[1] * 2 then whole = false end
  end })
end
for i = 1, n do make(i) end
collectgarbage() collectgarbage()
print("ran", ran <= n and ran >= n - n // 50, whole)

local saved, runs = {}, 0
local Back = {}
Back.__gc = function(o) runs = runs + 1 saved[#saved + 1] = o end
for i = 1, 100 do setmetatable({ i }, Back) end
collectgarbage() collectgarbage()
local sum = 0
for _, o in ipairs(saved) do sum = sum + o[1] end
local before = runs
saved = {}
collectgarbage() collectgarbage()
print("brought back", before >= 90, sum > 4000, runs - before <= 10)

-- An error in a finalizer is a warning, not the program's.
setmetatable({}, { __gc = function() error("ignored") end })
collectgarbage() collectgarbage()

-- A finalizer that allocates, makes objects with finalizers, and collects.
local nested = 0
for i = 1, 50 do
  setmetatable({}, { __gc = function()
    for j = 1, 20 do setmetatable({ j }, { __gc = function() nested = nested + 1 end }) end
    collectgarbage("step")
  end })
end
for _ = 1, 5 do collectgarbage() end
print("nested", nested > 800 and nested <= 1000)

-- While it is finalized, an object is gone from weak values, still there as a weak key, and its strings are themselves.
local seen, wrong = 0, 0
local values, keys = setmetatable({}, { __mode = "v" }), setmetatable({}, { __mode = "k" })
for i = 1, 200 do
  local o = setmetatable({ i, name = "only " .. i }, { __gc = function(o)
    seen = seen + 1
    if o.name ~= "only " .. o[1] or values[o[1]] ~= nil or keys[o] ~= o[1] then wrong = wrong + 1 end
  end })
  values[i], keys[o] = o, i
end
collectgarbage() collectgarbage()
print("weak while finalized", seen > 180, wrong)

-- A file that nobody closed.
for _ = 1, 2000 * scale do local f = io.open("/dev/null") f:read(1) end
print("files", io.type(io.open("/dev/null")))

-- Left for the end: every one of them, once.
local last = setmetatable({ 0 }, { __gc = function(o) print("at the end", o[1]) end })
for i = 1, 10 do
  keep = { keep, setmetatable({}, { __gc = function() last[1] = last[1] + 1 end }) }
end
print("collectgarbage", type(collectgarbage("count")), collectgarbage("isrunning"), collectgarbage("stop"), collectgarbage("isrunning"), collectgarbage("restart"))
print("modes", collectgarbage("generational"), collectgarbage("incremental"))
