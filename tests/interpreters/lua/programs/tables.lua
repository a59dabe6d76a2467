-- Tables: arrays and hashes that grow, shrink, have holes, are walked while they are emptied.
local scale = tonumber(arg[1]) or 1

local a = {}
for i = 1, 100000 * scale do a[i] = i end
for i = 1, #a, 2 do a[i] = nil end
local count = 0
for _ in pairs(a) do count = count + 1 end
print("holes", count)

local q, first, last, taken = {}, 1, 0, 0
for i = 1, 200000 * scale do
  last = last + 1
  q[last] = { i }
  if last - first > 100 then
    taken = taken + q[first][1]
    q[first] = nil
    first = first + 1
  end
end
print("queue", taken, last - first)

local h = {}
for i = 1, 50000 * scale do h["k" .. i] = { i, tostring(i) } end
local sum = 0
for k, v in pairs(h) do
  sum = sum + v[1] + #v[2]
  h[k] = nil -- allowed during a traversal
end
print("emptied", sum, next(h))

local objects, keys = {}, {}
for i = 1, 20000 do keys[i] = {} objects[keys[i]] = i end
for i = 1, 20000, 3 do objects[keys[i]] = nil end
local left = 0
for i = 1, 20000 do left = left + (objects[keys[i]] or 0) end
print("object keys", left)

local t = {}
for i = 1, 2000 do table.insert(t, 1 + i % 10 <= #t and 1 + i % 10 or #t + 1, i) end
for _ = 1, 1000 do table.remove(t, 7) end
print("insert and remove", #t, t[1], t[#t])
print("move", table.concat(table.move({ 1, 2, 3, 4, 5 }, 2, 5, 1), " "))
print("unpack", table.unpack({ 1, 2, nil, 4 }, 1, 4))
print("pack", table.pack(nil, nil).n)

local m = {}
m[1] = "int" m[1.0] = "same" m[2 ^ 53] = "big" m["1"] = "string" m[true] = "bool"
print("keys", m[1], m["1"], m[true], m[2 ^ 53 | 0])

-- Many small ones, nested and thrown away.
local deep = 0
for i = 1, 30000 * scale do
  local r = { x = i, y = { z = { i, i + 1, { name = "n" .. i % 10 } } } }
  deep = deep + #r.y.z[3].name + r.y.z[2]
end
print("nested", deep)
