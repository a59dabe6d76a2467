-- Binary trees: many small tables, a long-lived one among short-lived ones.
local depth_max = tonumber(arg[1]) == nil and 14 or math.max(8, 14 + math.floor(math.log(tonumber(arg[1]), 2)))

local function make(d)
  if d == 0 then return {} end
  return { make(d - 1), make(d - 1) }
end
local function check(t) return t[1] and 1 + check(t[1]) + check(t[2]) or 1 end

print("stretch", check(make(depth_max + 1)))
local long = make(depth_max)
for d = 4, depth_max, 2 do
  local n, sum = 1 << (depth_max - d + 4), 0
  for _ = 1, n do sum = sum + check(make(d)) end
  print(n, d, sum)
end
print("long lived", check(long))
