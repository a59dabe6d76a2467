# lua5.4: tables, strings, closures, coroutines, metatables, finalizers and weak tables over its own collector.

packages=lua5.4
short=yes
zeal=100000

prepare() {
    cat >program.lua <<'END'
local scale = tonumber(os.getenv("scale"))
local seed = 42
local function random(n) seed = seed * 16807 % 2147483647; return seed % n end

local function tree(depth)
  if depth == 0 then return {} end
  return { tree(depth - 1), tree(depth - 1) }
end
local function count(node) return node[1] and 1 + count(node[1]) + count(node[2]) or 1 end
local kept, nodes = tree(14), 0
for _ = 1, scale * 100 do nodes = nodes + count(tree(11)) end
print("trees", nodes, count(kept))

local words, list = {}, {}
for i = 1, scale * 120000 do
  local key = "w" .. random(20011)
  words[key] = (words[key] or 0) + 1
  list[i] = { key = key, n = random(1000003) }
end
table.sort(list, function(a, b) return a.n < b.n or a.n == b.n and a.key < b.key end)
print(list[1].key, list[#list].n)

local text = {}
for i = 1, scale * 50000 do text[i] = ("line %d of %s"):format(i, list[i].key) end
text = table.concat(text, "\n")
local numbers = 0
for number in text:gmatch("line (%d+)") do numbers = numbers + tonumber(number) end
print(#text, numbers, select(2, text:gsub("w(%d+)", "<%1>")))

local producer = coroutine.wrap(function() for i = 1, scale * 100000 do coroutine.yield({ i }) end end)
local sum = 0
for _ = 1, scale * 100000 do sum = sum + producer()[1] end
print("coroutine", sum)

local finalized, weak = 0, setmetatable({}, { __mode = "v" })
for i = 1, scale * 25000 do
  weak[i] = setmetatable({}, { __gc = function() finalized = finalized + 1 end })
end
collectgarbage()
collectgarbage()
print("finalized", finalized, "weak left", next(weak))
print(pcall(error, { code = 1 }) == false, select(2, pcall(error, "planned", 0)))
io.stderr:write("warned\n")
os.exit(6, true)
END
}

commands() {
    expect 6 lua5.4 ../input/program.lua
}
